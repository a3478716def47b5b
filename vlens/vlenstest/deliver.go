package vlenstest

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// deliver sends the answer, with what is to go wrong on the way, and returns
// the status that was sent: 0 when the client left before one was.
func (s *Server) deliver(w http.ResponseWriter, req *request, a answer) int {
	wait := req.scenario.Latency
	if req.fault == "slow_headers" {
		wait += req.scenario.delay()
	}
	if !pause(req, wait) {
		req.aborted = true
		return 0
	}
	size := 0
	for _, part := range a.parts {
		size += len(part)
	}
	header := w.Header()
	if a.contentType != "" {
		header.Set("Content-Type", a.contentType)
	}
	if a.retryAfter != "" {
		header.Set("Retry-After", a.retryAfter)
	}
	if a.location != "" {
		header.Set("Location", a.location)
	}
	header.Set("Content-Length", strconv.Itoa(size))
	switch req.fault {
	case "slow_body":
		drip(w, req, a.status, slices.Concat(a.parts...))
	case "stall":
		sendHalf(w, a.status, slices.Concat(a.parts...))
		select {
		case <-req.Context().Done():
		case <-s.stopped:
		}
		req.aborted = true
	case "reset":
		sendHalf(w, a.status, slices.Concat(a.parts...))
		req.aborted = !reset(w)
	case "long_length":
		header.Set("Content-Length", strconv.Itoa(size+1000))
		send(w, a.status, a.parts)
	case "short_length":
		body := slices.Concat(a.parts...)
		header.Set("Content-Length", strconv.Itoa(size/2))
		send(w, a.status, [][]byte{body[:size/2]})
	default:
		send(w, a.status, a.parts)
	}
	return a.status
}

// A failed write means that the client has left: nobody to tell.
func send(w http.ResponseWriter, status int, parts [][]byte) {
	w.WriteHeader(status)
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}

func sendHalf(w http.ResponseWriter, status int, body []byte) {
	send(w, status, [][]byte{body[:len(body)/2]})
	_ = http.NewResponseController(w).Flush()
}

// drips is in how many pieces a slow body comes.
const drips = 20

func drip(w http.ResponseWriter, req *request, status int, body []byte) {
	w.WriteHeader(status)
	control := http.NewResponseController(w)
	for piece := range slices.Chunk(body, max(1, (len(body)+drips-1)/drips)) {
		if _, err := w.Write(piece); err != nil {
			return
		}
		_ = control.Flush()
		if !pause(req, req.scenario.delay()/drips) {
			return
		}
	}
}

// reset closes the connection so that the client's kernel hears RST; false
// means that the connection is not ours to take (HTTP/2).
func reset(w http.ResponseWriter) bool {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
	return true
}

// pause waits; false means that the client left.
func pause(req *request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
		return false
	}
}
