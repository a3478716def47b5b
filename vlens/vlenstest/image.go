package vlenstest

import (
	"net/http"
	"slices"
)

// image answers with one image, or says that there is none by that name in
// that transaction. A name of another transaction is never served.
func (s *Server) image(req *request, caller *tenant) answer {
	transaction, name := req.query("TransactionId"), req.query("FileName")
	if caller != s.tenants[0] {
		return req.refuse(failTransaction)
	}
	// Acting for another tenant is the host operator's right (the parameter
	// is in docs.vlenseg.com, "Get Step Image").
	if req.query("ImpersonatedTenantId") != "" {
		return req.refuse(failPermission.withStatus(req.scenario.Auth.PermitStatus))
	}
	index, verification, found := s.people.indexOfTransaction(transaction)
	if transaction == "" {
		index = s.people.indexOfFile(name)
	}
	if index == 0 && transaction != "" {
		return req.refuse(failTransaction)
	}
	if index == 0 {
		return req.refuse(failNoID)
	}
	person, rules := s.person(req.scenario, index)
	req.rules = rules
	if !found {
		verification = person.Verification
	}
	if verification != person.Verification {
		person = s.people.person(index, verification)
	}
	kind := slices.IndexFunc(Kinds[:], func(k Kind) bool {
		return person.fileName(kindIndex(k), extension(rules.image(k))) == name
	})
	req.fault = s.userFault(req, index, kind)
	s.journal.image(index)
	switch {
	case !found && rules.Transaction != "optional":
		return req.refuse(failNoID)
	case verification > rules.verification(), verification < rules.verification() && rules.OldImages != "kept":
		return req.refuse(failTransaction)
	case kind < 0, rules.User == "unknown":
		return req.refuse(failImage)
	}
	switch rules.image(Kinds[kind]) {
	case "gone", "absent":
		return req.refuse(failImage)
	case "data_null":
		return req.success(nil)
	default:
		return s.imageAnswer(req, pictureOf(person, kind, rules))
	}
}

// imageAnswer wraps an image in the envelope without copying its base64.
func (s *Server) imageAnswer(req *request, wanted picture) answer {
	head := `{"data":{"image":"`
	tail := `"},"error_code":0,"error_message":null,"error_descriptions":null}`
	switch req.successCode() {
	case "null":
		tail = `"},"error_code":null,"error_message":null,"error_descriptions":null}`
	case "absent":
		tail = `"},"error_message":null,"error_descriptions":null}`
	}
	encoded := s.album.encoded(wanted, req.rules.Encoding)
	return answer{
		status:      http.StatusOK,
		contentType: req.contentType(),
		parts:       slices.Concat([][]byte{[]byte(head)}, encoded, [][]byte{[]byte(tail)}),
	}
}

// transaction answers GetTransactionById with the fields its page shows.
func (s *Server) transaction(req *request, caller *tenant) answer {
	index, verification, found := s.people.indexOfTransaction(req.query("id"))
	if !found || caller != s.tenants[0] {
		return req.refuse(failTransaction)
	}
	person, rules := s.person(req.scenario, index)
	req.rules = rules
	req.fault = s.userFault(req, index, -1)
	if verification > person.Verification || rules.User == "unknown" {
		return req.refuse(failTransaction)
	}
	person = s.people.person(index, verification)
	// The page shows this form, in which day and month cannot be told apart.
	created := person.VerifiedAt.Format("02/01/2006 15:04:05")
	return req.success(object{
		{"transaction", object{
			{"id", person.TransactionID},
			{"stepsCount", 3},
			{"fullName", person.Name},
			{"isMatched", true},
			{"idNumber", person.NationalID},
			{"creationTime", created},
			{"clientTransactionId", nil},
			{"isVerified", true},
			{"creatorUserId", person.index},
		}},
		{"transactionItems", object{
			{"lazyLoadImages", true},
			{"hasOtherSteps", false},
			{"phoneNumber", person.Phone},
			{"digitalIdentityData", []object{}},
			{"deviceInfo", nil},
			{"isDigitalIdentityVerified", true},
			{"steps", []object{}},
		}},
	})
}
