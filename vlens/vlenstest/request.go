package vlenstest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Endpoint names one call of the API.
type Endpoint string

// The endpoints; every other path is Unknown.
const (
	Login       Endpoint = "login"       // POST /api/credentials/Login
	Refresh     Endpoint = "refresh"     // POST /api/credentials/RefreshToken
	List        Endpoint = "list"        // GET /api/DigitalIdentity/GetUserDigitalIdentityImages
	Image       Endpoint = "image"       // GET /api/DigitalIdentity/GetStepImage
	Transaction Endpoint = "transaction" // GET /api/Transactions/GetTransactionById
	Unknown     Endpoint = "unknown"
)

var endpoints = []Endpoint{Login, Refresh, List, Image, Transaction}

// imagePath is where listings of URLs point to.
const imagePath = "/api/DigitalIdentity/GetStepImage"

// routes are in lower case because ASP.NET Core ignores the case of paths.
var routes = map[string]struct {
	method   string
	endpoint Endpoint
}{
	"/api/credentials/login":                            {http.MethodPost, Login},
	"/api/credentials/refreshtoken":                     {http.MethodPost, Refresh},
	"/api/digitalidentity/getuserdigitalidentityimages": {http.MethodGet, List},
	"/api/digitalidentity/getstepimage":                 {http.MethodGet, Image},
	"/api/transactions/gettransactionbyid":              {http.MethodGet, Transaction},
}

// request is one arrival and all that answering it needs. The scenario is the
// one in force when it arrived.
type request struct {
	*http.Request
	number   int // 1 for the first request the server ever got
	arrived  time.Time
	endpoint Endpoint
	scenario *Scenario
	rules    Rules  // of the user once known, else of all
	fault    string // what goes wrong with the answer, "" for nothing
	aborted  bool   // the answer was given up half-way: the connection must not end politely
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	req := &request{Request: r, arrived: s.options.Now(), scenario: s.scenario.Load()}
	req.rules = req.scenario.All
	route, found := routes[strings.ToLower(r.URL.Path)]
	req.endpoint = Unknown
	if found {
		req.endpoint = route.endpoint
	}
	req.number = s.journal.arrive(req)
	answer := s.answer(req, found && r.Method == route.method)
	status := s.deliver(w, req, answer)
	s.journal.leave(req, status)
	if req.aborted {
		panic(http.ErrAbortHandler)
	}
}

// answer decides what a request gets: the quota first, because it counts
// arrivals of every kind, then credentials, then the endpoint.
func (s *Server) answer(req *request, routed bool) answer {
	caller := s.tenantOfKey(req.Header.Get("ApiKey"))
	counted := caller
	if counted == nil {
		counted = s.tenants[0]
	}
	if wait, allowed := counted.quota.arrive(req.arrived, req.scenario.Quota); !allowed {
		return req.throttled(wait)
	}
	answer := s.endpointAnswer(req, caller, routed)
	if req.scenario.outage(req.number) {
		req.fault = word(req.scenario.Outage.Fault, "html_502")
	}
	return req.replyFault(answer)
}

func (s *Server) endpointAnswer(req *request, caller *tenant, routed bool) answer {
	if !routed {
		return req.refuse(failPath)
	}
	if caller == nil {
		return req.refuse(failKey.withStatus(req.scenario.Auth.KeyStatus))
	}
	switch req.endpoint {
	case Login:
		req.fault = s.userFault(req, 0, -1)
		return s.login(req, caller)
	case Refresh:
		req.fault = s.userFault(req, 0, -1)
		return s.refresh(req, caller)
	case List:
		return s.authorized(req, caller, s.list)
	case Image:
		return s.authorized(req, caller, s.image)
	default:
		return s.authorized(req, caller, s.transaction)
	}
}

// query reads a query parameter by its name in any case. Go decodes a raw "+"
// to a space, as the vendor's framework does.
func (r *request) query(name string) string {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return ""
	}
	for key, list := range values {
		if strings.EqualFold(key, name) && len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// word is a scenario's word or its default.
func word(said, fallback string) string {
	if said == "" {
		return fallback
	}
	return said
}
