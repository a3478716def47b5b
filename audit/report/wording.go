package report

import (
	"vlens-archiver/store"
)

// wording is how the page names and explains a state or an outcome. Look is the
// fill of its mark, told apart by lightness and hatching, not by colour alone.
type wording struct{ Name, Meaning, Look string }

var stateWords = map[store.State]wording{
	store.StateArchived: {"Archived", "every image of the newest verification is stored", "done"},
	store.StateNoImages: {"No images", "Vlens knows the user and lists no image", "void"},
	store.StateNotFound: {"Not found", "Vlens knows no such user", "void"},
	store.StatePending:  {"Pending", "waits for the first attempt", "wait"},
	store.StatePartial:  {"Partial", "of the newest verification some images are stored, some are not", "miss"},
	store.StateFailed:   {"Failed", "of the newest verification nothing is stored", "fail"},
}

var outcomeWords = map[store.Outcome]wording{
	store.OutcomeArchived:  {"Archived", "every listed image stored, something new", "done"},
	store.OutcomeUnchanged: {"Unchanged", "nothing new could be stored", "done"},
	store.OutcomePartial:   {"Partial", "some images stored, some not", "miss"},
	store.OutcomeNoImages:  {"No images", "Vlens listed no image", "void"},
	store.OutcomeNotFound:  {"Not found", "Vlens knew no such user", "void"},
	store.OutcomeFailed:    {"Failed", "nothing stored", "fail"},
}
