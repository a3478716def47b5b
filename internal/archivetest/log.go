package archivetest

import (
	"strings"
	"sync"
)

// Log collects what processes log, a JSON object a line.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Events is how often an event was logged.
func (l *Log) Events(name string) int { return strings.Count(l.String(), `"event":"`+name+`"`) }
