package progress

import (
	"bytes"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
)

// Screen is a terminal that log lines and a live bar share: while there is a
// bar, lines go above it and neither garbles the other.
type Screen struct {
	mu   sync.Mutex
	out  io.Writer
	bars *mpb.Progress // nil while there is no bar
	// While the bars are removed, lines wait here.
	removing bool
	waiting  bytes.Buffer
}

// NewScreen makes a screen of a terminal.
func NewScreen(out io.Writer) *Screen { return &Screen{out: out} }

// Write writes whole lines.
func (s *Screen) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.removing:
		return s.waiting.Write(line)
	case s.bars != nil:
		return s.bars.Write(line)
	default:
		return s.out.Write(line)
	}
}

// attach shows lines above the bars from now on.
func (s *Screen) attach(bars *mpb.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bars = bars
}

// detach removes the bars by calling end; then lines go to the terminal again.
// Lines written meanwhile wait: the bars would lose them.
func (s *Screen) detach(end func()) {
	s.mu.Lock()
	s.removing = true
	s.mu.Unlock()

	end()

	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.waiting.WriteTo(s.out) // who closed the terminal reads nothing
	s.bars, s.removing = nil, false
}
