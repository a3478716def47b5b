package progress

import (
	"bytes"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
)

// Screen is a terminal that log lines and a live bar share: while there is a
// bar, lines go above it, so that neither tears the other.
type Screen struct {
	mu   sync.Mutex
	out  io.Writer
	bars *mpb.Progress // nil while there is no bar
	held bytes.Buffer  // lines written while the bar goes away
	hold bool
}

// NewScreen makes a screen of a terminal.
func NewScreen(out io.Writer) *Screen { return &Screen{out: out} }

// Write writes whole lines.
func (s *Screen) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.hold:
		return s.held.Write(line)
	case s.bars != nil:
		return s.bars.Write(line)
	default:
		return s.out.Write(line)
	}
}

// give makes bars the place above which lines go.
func (s *Screen) give(bars *mpb.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bars = bars
}

// take lets the bar go away by end, and lines go to the terminal again. Lines
// that come meanwhile wait: the bar would lose them.
func (s *Screen) take(end func()) {
	s.mu.Lock()
	s.hold = true
	s.mu.Unlock()

	end()

	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.held.WriteTo(s.out) // a terminal that is gone has no reader either
	s.bars, s.hold = nil, false
}
