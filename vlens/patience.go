package vlens

const (
	// throttlesInRow is how many throttle replies in a row one question endures.
	throttlesInRow = 8
	// throttlesAlone is the same while others are answered between each two of
	// them. A quota that is used up meets everybody, so these are about what was
	// asked for; and each may hold back the whole fleet for twice as long as the
	// one before, five seconds at first: four cost up to 75 s, eight 21 minutes.
	// It is not fewer, because a quota that live onboarding almost uses up lets
	// some through, too.
	throttlesAlone = 4
	// maxOldTokens is how many tokens may grow too old while one question waits
	// for its turn or answer. Beyond that they live shorter than anything takes,
	// and the question is sent as it is.
	maxOldTokens = 8
)

// patience is what one question has put up with so far.
type patience struct {
	failures  int
	throttles int    // throttle replies in a row
	alone     int    // the last of them, with answers to others between each two
	answers   uint64 // Client.answers at the last of them
	oldTokens int
	accepted  bool // the endpoint took a token before it refused it
	renewed   bool
	loggedIn  bool
}

// endures notes a throttle reply, and how many questions were answered until
// then. It reports whether the question is to be put again.
func (p *patience) endures(answers uint64) bool {
	p.throttles++
	if p.throttles == 1 || p.answers == answers {
		p.alone = 0
	}
	p.alone++
	p.answers = answers
	return p.throttles < throttlesInRow && p.alone < throttlesAlone
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
