package doctor

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
)

// startLooseVendor stands before the tenant and answers a question about anybody
// with what a real person has.
func startLooseVendor(s *site) string {
	s.t.Helper()
	target, err := url.Parse(s.cfg.Vlens.BaseURL)
	if err != nil {
		s.t.Fatal(err)
	}
	person, _ := s.vlens.Person("u-000001")
	server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		query := r.Out.URL.Query()
		if query.Has("emailOrPhoneNumber") {
			query.Set("emailOrPhoneNumber", person.Email)
			r.Out.URL.RawQuery = query.Encode()
		}
	}})
	s.t.Cleanup(server.Close)
	return server.URL
}
