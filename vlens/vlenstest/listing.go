package vlenstest

import (
	"net/url"
	"strings"
)

// find resolves what the vendor matches a user by: a phone in E.164 or an
// email in lower case, each exactly as it is stored.
func (p population) find(emailOrPhone string) int {
	if strings.Contains(emailOrPhone, "@") {
		return p.indexOfEmail(emailOrPhone)
	}
	return p.indexOfPhone(emailOrPhone)
}

// list answers with the references of a user's six images.
func (s *Server) list(req *request, caller *tenant) answer {
	index := 0
	if caller == s.tenants[0] {
		index = s.people.find(req.query("emailOrPhoneNumber"))
	}
	if index == 0 {
		req.fault = s.userFault(req, 0, -1)
		return req.refuse(failUser)
	}
	shown, rules := s.person(req.scenario, index)
	req.rules = rules
	req.fault = s.userFault(req, index, -1)
	s.journal.list(index)
	switch {
	case req.rules.User == "unknown":
		return req.refuse(failUser)
	case req.rules.Listing == "data_null":
		return req.success(nil)
	case req.rules.Listing == "renamed":
		return req.success(object{{"images", s.listing(req, shown, rules)}})
	}
	if rules.SharesOf != "" {
		shown, rules = s.person(req.scenario, s.people.indexOfID(rules.SharesOf))
	}
	return req.success(s.listing(req, shown, rules))
}

// listing is the data object for a person's images.
func (s *Server) listing(req *request, shown Person, rules Rules) object {
	var data object
	for i, kind := range Kinds {
		if rules.image(kind) != "absent" {
			name := shown.fileName(i, extension(rules.image(kind)))
			data = append(data, object{{listingFields[i], req.reference(shown.TransactionID, name)}}...)
			continue
		}
		switch req.rules.Missing {
		case "empty":
			data = append(data, object{{listingFields[i], ""}}...)
		case "absent":
		default:
			data = append(data, object{{listingFields[i], nil}}...)
		}
	}
	switch req.rules.References {
	case "", "transaction_field":
		data = append(data, object{{"transactionId", shown.TransactionID}}...)
	case "transaction_pascal":
		data = append(data, object{{"TransactionId", strings.ToUpper(shown.TransactionID)}}...)
	case "transaction_snake":
		data = append(data, object{{"transaction_id", shown.TransactionID}}...)
	}
	return data
}

// foreignHost is a name that never resolves (RFC 2606): a client that follows
// it has sent its credentials away.
const foreignHost = "images.invalid"

// reference is one value of the listing.
func (r *request) reference(transaction, name string) string {
	query := url.Values{"TransactionId": {transaction}, "FileName": {name}}.Encode()
	switch r.rules.References {
	case "absolute_urls":
		return "http://" + r.Host + imagePath + "?" + query
	case "relative_urls":
		return imagePath + "?" + query
	case "foreign_urls":
		return "https://" + foreignHost + imagePath + "?" + query
	default:
		return name
	}
}

// extension is the one in the file name, which need not be what the bytes are.
func extension(word string) string {
	if word == "png" || word == "jpeg_named_png" {
		return "png"
	}
	return "jpg"
}

// person is a user as a scenario has them.
func (s *Server) person(scenario *Scenario, index int) (Person, Rules) {
	rules := scenario.rules(s.people, index)
	return s.people.person(index, rules.verification()), rules
}
