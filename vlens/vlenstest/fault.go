package vlenstest

import (
	"net/http"
	"slices"
	"strconv"
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
	case "error_404":
		return r.refuse(failUnspecified.withStatus(http.StatusNotFound))
	case "html_502":
		return page(http.StatusBadGateway)
	case "html_403":
		return page(http.StatusForbidden)
	case "html_404":
		return page(http.StatusNotFound)
	case "html_401":
		return page(http.StatusUnauthorized)
	case "html_200":
		return page(http.StatusOK)
	case "json_404":
		return r.json(http.StatusNotFound, object{{"message", "no Route matched with those values"}})
	case "empty_503":
		return answer{status: http.StatusServiceUnavailable}
	case "empty_407":
		return answer{status: http.StatusProxyAuthRequired}
	case "empty_404":
		return answer{status: http.StatusNotFound}
	case "empty_403":
		return answer{status: http.StatusForbidden}
	case "empty_401":
		return answer{status: http.StatusUnauthorized}
	case "empty_200":
		return answer{status: http.StatusOK, contentType: r.contentType()}
	case "redirect":
		moved := page(http.StatusFound)
		moved.location = "https://" + foreignHost + "/login"
		return moved
	case "throttled":
		return r.throttled(time.Second)
	default:
		return normal
	}
}

// page is what a gateway, firewall or proxy answers in the vendor's place.
func page(status int) answer {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	text := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body><center><h1>" + title + "</h1></center></body>\r\n</html>\r\n"
	return answer{status: status, contentType: "text/html", parts: [][]byte{[]byte(text)}}
}
