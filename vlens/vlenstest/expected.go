package vlenstest

// Expected is what an archiver must end with for one user under the scenario
// in force, once nothing transient is left to retry. It does not look at the
// quota, at outages, nor at faults and rules of login and refresh. It takes for
// granted that the archiver has been told what this tenant's error codes mean:
// CodeUserNotFound is not found; CodeTransactionNotFound and CodeImageNotFound
// are gone.
type Expected struct {
	Outcome       string       // archived, partial, no_images, not_found or failed
	Class         string       // why, for partial and failed: of the first kind that is missing; "" else
	TransactionID string       // "" when there is nothing to archive
	Images        map[Kind]Sum // that must be stored
	Listed        bool         // the listing is answered, and shows images
	// Rival is another user whose transaction this user's listing shows.
	// Whichever is archived first has it; the other is failed with class
	// shared_transaction. Empty for none.
	Rival string
}

// Expected computes what must become of a user. Pictures are drawn for it.
func (s *Server) Expected(id string) (Expected, bool) {
	index := s.people.indexOfID(id)
	if index == 0 {
		return Expected{}, false
	}
	scenario := s.scenario.Load()
	expected, pictures := s.expect(scenario, index)
	if len(pictures) > 0 {
		expected.Images = map[Kind]Sum{}
	}
	for _, p := range pictures {
		expected.Images[Kinds[p.kind]] = s.album.sum(p)
	}
	return expected, true
}

// expect is Expected without drawing: the pictures that must be stored are
// named only.
func (s *Server) expect(scenario *Scenario, index int) (Expected, []picture) {
	row := s.user(scenario, index)
	person, own := s.person(scenario, index)
	listed, listing := person, own
	if own.PhoneOf != "" && row.Phone != "" {
		listed, listing = s.person(scenario, s.people.indexOfID(own.PhoneOf))
	}
	shown, shownRules := listed, listing
	if listing.SharesOf != "" {
		shown, shownRules = s.person(scenario, s.people.indexOfID(listing.SharesOf))
	}
	var rival string
	if shown.ID != person.ID {
		rival = shown.ID
	}
	if class := faultClass(listing.Faults[List]); class != "" {
		return Expected{Outcome: "failed", Class: class}, nil
	}
	switch {
	case row.Phone == "" && row.Email == "":
		return Expected{Outcome: "failed", Class: "no_identifier"}, nil
	case listing.User == "unknown":
		return Expected{Outcome: "not_found"}, nil
	case listing.Listing == "data_null", listing.Listing == "renamed":
		return Expected{Outcome: "failed", Class: "bad_payload"}, nil
	}
	wanted, stored, class := s.harvest(shown, shownRules)
	switch {
	case wanted == 0:
		return Expected{Outcome: "no_images"}, nil
	case listing.References == "names" && row.TransactionID == "" && shownRules.Transaction != "optional":
		return Expected{Outcome: "failed", Class: "no_transaction", Listed: true}, nil
	case listing.References == "names" && row.TransactionID != "" && shown.ID != person.ID:
		// The row's transaction has no image by the listed names.
		return Expected{Outcome: "failed", Class: "gone", Listed: true}, nil
	case len(stored) == 0:
		return Expected{Outcome: "failed", Class: class, Rival: rival, Listed: true}, nil
	case len(stored) < wanted:
		return Expected{Outcome: "partial", Class: class, TransactionID: shown.TransactionID, Rival: rival, Listed: true}, stored
	default:
		return Expected{Outcome: "archived", TransactionID: shown.TransactionID, Rival: rival, Listed: true}, stored
	}
}

// harvest is how many images a listing shows, which of them can be stored,
// and why the first of the others cannot.
func (s *Server) harvest(shown Person, rules Rules) (wanted int, stored []picture, class string) {
	for i, kind := range Kinds {
		content := rules.image(kind)
		if content == "absent" {
			continue
		}
		wanted++
		lost := imageClasses[content]
		if isFault(content) {
			lost = faultClass(content)
		} else if lost == "" {
			lost = faultClass(rules.Faults[Image])
		}
		if rules.User == "unknown" {
			lost = "gone"
		}
		switch {
		case lost == "":
			stored = append(stored, pictureOf(shown, i, rules))
		case class == "":
			class = lost
		}
	}
	return wanted, stored, class
}

// imageClasses are the failure classes of images that can never be stored.
var imageClasses = map[string]string{
	"gone":           "gone",
	"not_image":      "not_an_image",
	"empty":          "bad_payload",
	"data_null":      "bad_payload",
	"invalid_base64": "bad_payload",
}

// faultClasses are the failure classes of faults that never end.
var faultClasses = map[string]string{
	"stall":        "timeout",
	"reset":        "network",
	"long_length":  "network",
	"short_length": "bad_payload",
	"error":        "vendor_error",
	"error_404":    "vendor_error",
	"html_502":     "vendor_error",
	"html_403":     "vendor_error",
	"empty_403":    "vendor_error",
	"html_404":     "vendor_error",
	"json_404":     "vendor_error",
	"empty_404":    "vendor_error",
	"html_200":     "bad_payload",
	"empty_503":    "throttled",
	"empty_200":    "bad_payload",
	"throttled":    "throttled",
}

// faultClass is "" for faults that pass: those that happen once and those that
// are only slow.
func faultClass(said string) string { return faultClasses[said] }

// ExpectedOutcomes counts the users by outcome, without drawing a picture.
func (s *Server) ExpectedOutcomes() map[string]int {
	scenario := s.scenario.Load()
	outcomes := map[string]int{}
	for index := range s.people.size {
		expected, _ := s.expect(scenario, index+1)
		outcomes[expected.Outcome]++
	}
	return outcomes
}
