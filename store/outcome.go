package store

// Outcome is how one user ended in one run.
type Outcome string

// The outcomes.
const (
	// OutcomeArchived: every listed image is stored, and something is new.
	OutcomeArchived Outcome = "archived"
	// OutcomeUnchanged: nothing new could be stored or stated. Every listed image was
	// stored before, or, with a class, what is missing was settled before.
	OutcomeUnchanged Outcome = "unchanged"
	// OutcomePartial: some images are stored, some failed, are gone or rejected.
	OutcomePartial Outcome = "partial"
	// OutcomeNoImages: the vendor knows the user but lists nothing.
	OutcomeNoImages Outcome = "no_images"
	// OutcomeNotFound: the vendor says that there is no such user.
	OutcomeNotFound Outcome = "not_found"
	// OutcomeFailed: nothing is stored.
	OutcomeFailed Outcome = "failed"
)

// Outcomes holds all outcomes in the order in which summaries show them.
var Outcomes = []Outcome{
	OutcomeArchived, OutcomeUnchanged, OutcomePartial, OutcomeNoImages, OutcomeNotFound, OutcomeFailed,
}

// Incomplete reports whether the outcome is one of the failures of a run: something
// is missing that is new, or that may still come. They alone are counted by class.
func (o Outcome) Incomplete() bool { return o == OutcomeFailed || o == OutcomePartial }

// State is where a user's newest verification stands.
type State string

// The states. An unchanged user has the state of before.
const (
	StatePending  State = "pending"
	StateArchived State = "archived"
	StatePartial  State = "partial"
	StateNoImages State = "no_images"
	StateNotFound State = "not_found"
	StateFailed   State = "failed"
)

// States holds all states in the order in which summaries show them.
var States = []State{StatePending, StateArchived, StatePartial, StateNoImages, StateNotFound, StateFailed}
