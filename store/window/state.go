package window

// Rules are the lengths and times of the windows, in milliseconds.
type Rules struct {
	// Short and Long are the lengths of the two windows.
	Short, Long Instant
	// Takeover is the silence after which a member is dead: its slots count as
	// answered at that moment, and its limits no longer bind the others.
	Takeover Instant
	// Absent is the silence after which a waiting member is passed over.
	Absent Instant
	// Beat and WaitBeat are how often a member must be heard: always, and while
	// it waits for slots.
	Beat, WaitBeat Instant
	// Poll is how soon a waiting member looks again when it depends on requests
	// that are under way. It may be slow: a response frees nothing before the
	// shorter window has passed.
	Poll Instant
	// FirstPause and LongestPause bound a cool-down; Ramp is the time after it
	// in which the rate grows back.
	FirstPause, LongestPause, Ramp Instant
}

// Standard are the rules for limits a second and a minute.
var Standard = Rules{
	Short:        1_000,
	Long:         60_000,
	Takeover:     60_000,
	Absent:       3_000,
	Beat:         15_000,
	WaitBeat:     1_000,
	Poll:         250,
	FirstPause:   5_000,
	LongestPause: 15 * 60_000,
	Ramp:         60_000,
}

// Limits are what one process was told to obey. For each of them, the strictest
// of all live members binds everybody; 0 is no limit.
type Limits struct {
	PerShort int     `json:"per_short,omitempty"` // requests in a short window
	PerLong  int     `json:"per_long,omitempty"`  // requests in a long window
	Margin   Instant `json:"margin,omitempty"`    // added to both windows
	// PerLongOfRun is a further limit for a long window, which binds the members
	// of the same run only. Without it Run is "".
	Run          string `json:"run,omitempty"`
	PerLongOfRun int    `json:"per_long_of_run,omitempty"`
}

// State is everything that the processes under one quota share. The zero value
// is a quota that nobody has used yet.
type State struct {
	Members []Member `json:"members,omitempty"`
	// Spent holds the responses of the last long window; Runs the same for each
	// run with a limit of its own.
	Spent Instants            `json:"spent,omitempty"`
	Runs  map[string]Instants `json:"runs,omitempty"`
	// NextOrder is the place in the queue of the next ask.
	NextOrder int64 `json:"next_order,omitempty"`
	// NextPaced is when the next grant is due at the even rate; it may lie
	// ahead by as much as may go at once.
	NextPaced Instant `json:"next_paced,omitempty"`
	LastGrant Instant `json:"last_grant,omitempty"`
	// Until is the end of the last cool-down; nothing is granted before it.
	// Level is the number of cool-downs in a row, of which each is twice as long
	// as the one before; 0 before the first.
	Until Instant `json:"until,omitempty"`
	Level int     `json:"level,omitempty"`
}

// Member is one process that uses the quota.
type Member struct {
	ID   string  `json:"id"`
	Seen Instant `json:"seen"` // last heard of
	Limits
	Holds []int64 `json:"holds,omitempty"` // tickets of slots without a response
	Waits []Place `json:"waits,omitempty"` // oldest first
}

// Place is an ask in the queue: the process's own number for it, and its order
// among the asks of all processes.
type Place struct {
	Ticket int64 `json:"ticket"`
	Order  int64 `json:"order"`
}

func (s *State) member(id string) *Member {
	for i := range s.Members {
		if s.Members[i].ID == id {
			return &s.Members[i]
		}
	}
	return nil
}

// spend counts one request that ended so long before now. Now and ago are both
// rounded down, so the end may lie up to a millisecond later than their
// difference; it is taken to do so.
func (s *State) spend(limits Limits, now, ago Instant) {
	at := now - ago + 1
	s.Spent.insert(at)
	if limits.Run != "" {
		if s.Runs == nil {
			s.Runs = map[string]Instants{}
		}
		list := s.Runs[limits.Run]
		list.insert(at)
		s.Runs[limits.Run] = list
	}
}
