package vlenstest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// once remembers which of the faults that happen once have happened.
type once struct {
	mu   sync.Mutex
	seen map[occasion]struct{}
}

// occasion is a place where a fault can happen: an endpoint of a user, and
// the kind for images. User 0 and kind -1 stand for none.
type occasion struct {
	endpoint    Endpoint
	index, kind int
}

func (o *once) first(at occasion) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, seen := o.seen[at]; seen {
		return false
	}
	if o.seen == nil {
		o.seen = map[occasion]struct{}{}
	}
	o.seen[at] = struct{}{}
	return true
}

// userFault is what the rules let go wrong with this request: a fault of the
// image itself before one of the endpoint.
func (s *Server) userFault(req *request, index, kind int) string {
	said := req.rules.Faults[req.endpoint]
	if kind >= 0 && isFault(req.rules.image(Kinds[kind])) {
		said = req.rules.image(Kinds[kind])
	}
	fault, single := strings.CutSuffix(said, " once")
	if single && !s.happened.first(occasion{req.endpoint, index, kind}) {
		return ""
	}
	return fault
}

func isFault(said string) bool {
	return slices.Contains(words(faultKey), strings.TrimSuffix(said, " once"))
}

func (sc *Scenario) outage(number int) bool {
	o := sc.Outage
	return o.From > 0 && number >= o.From && (o.Requests == 0 || number < o.From+o.Requests)
}

func (sc *Scenario) delay() time.Duration {
	if sc.Delay == 0 {
		return 2 * time.Second
	}
	return sc.Delay
}

// replyFault replaces the answer when the fault is another reply; faults of
// the connection are left to delivery.
func (r *request) replyFault(normal answer) answer {
	switch r.fault {
	case "error":
		return r.refuse(failUnspecified)
	case "html_502":
		const page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
		return answer{status: http.StatusBadGateway, contentType: "text/html", parts: [][]byte{[]byte(page)}}
	case "empty_503":
		return answer{status: http.StatusServiceUnavailable}
	case "empty_200":
		return answer{status: http.StatusOK, contentType: r.contentType()}
	case "throttled":
		return r.throttled(time.Second)
	default:
		return normal
	}
}
