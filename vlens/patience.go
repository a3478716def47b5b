package vlens

const (
	// throttlesInRow is how many throttle replies in a row one question endures.
	// The pauses between them, five seconds at first and then twice as long each
	// time, outlast a minute that live onboarding has used up. More of them would
	// hold back the whole fleet for many minutes.
	throttlesInRow = 5
	// maxOldTokens is how many tokens may grow too old while one question waits
	// for its turn or answer. Beyond that they live shorter than anything takes,
	// and the question is sent as it is.
	maxOldTokens = 8
)

// patience is what one question has put up with so far.
type patience struct {
	failures  int
	throttles int // throttle replies in a row
	oldTokens int
	accepted  bool // the endpoint took a token before it refused it
	renewed   bool
	loggedIn  bool
}

// blames reports whether a 401 may be about the token sent, and not about the
// account: if it had grown too old meanwhile, else once. Once more if the next
// one came from a refresh and nothing takes it, so that a login is due; not where
// the endpoint took none so far, because then a login's own was refused, too.
func (p *patience) blames(bearer *token, endpoint Endpoint) bool {
	p.accepted = p.accepted || bearer.note(endpoint).Load()
	switch {
	case bearer.ageing() && p.oldTokens < maxOldTokens:
		p.oldTokens++
	case !p.renewed:
		p.renewed = true
	case bearer.unproven() && p.accepted && !p.loggedIn:
		p.loggedIn = true
	default:
		return false
	}
	return true
}
