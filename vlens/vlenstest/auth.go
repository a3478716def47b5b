package vlenstest

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Lengths the login takes, in characters (docs.vlenseg.com, "Login").
const (
	longestName     = 256 // tenancy name, user name or email
	longestPassword = 32
	longestBody     = 64 << 10 // bytes of a request body we read
)

func (s *Server) tenantOfKey(key string) *tenant {
	for _, t := range s.tenants {
		if key == t.apiKey {
			return t
		}
	}
	return nil
}

// login gives tokens for a password. The tenancy name must be in the header
// and in the body (docs.vlenseg.com, "Conventions").
func (s *Server) login(req *request, caller *tenant) answer {
	var body struct{ TenancyName, UserNameOrEmailAddress, Password string }
	if !req.body(&body) {
		return req.refuse(failBody)
	}
	for _, field := range []struct {
		value   string
		longest int
	}{
		{body.TenancyName, longestName},
		{body.UserNameOrEmailAddress, longestName},
		{body.Password, longestPassword},
	} {
		if n := utf8.RuneCountInString(field.value); n == 0 || n > field.longest {
			return req.refuse(failBody)
		}
	}
	if body.TenancyName != caller.name || req.Header.Get("TenancyName") != caller.name ||
		!strings.EqualFold(body.UserNameOrEmailAddress, caller.username) || body.Password != caller.password {
		return req.refuse(failLogin.withStatus(req.scenario.Auth.LoginStatus))
	}
	auth := req.scenario.Auth
	granted := claims{Tenant: caller.name, Account: word(auth.Account, "admin"), Issued: req.number}
	return req.success(object{
		{"accessToken", s.accessToken(granted, req)},
		{"expireInSeconds", int(auth.tokenLifetime() / time.Second)},
		{"refreshToken", s.refreshToken(granted, req)},
		{"refreshTokenExpireInSeconds", int(auth.refreshLifetime() / time.Second)},
		// The older login pages say that keys come with the tokens, without
		// naming the fields: something a client must not log.
		{"apiKey", caller.apiKey},
		{"bundleKey", "bundle-" + caller.apiKey},
	})
}

// refresh gives a new access token for a refresh token.
func (s *Server) refresh(req *request, caller *tenant) answer {
	var body struct{ RefreshToken string }
	if !req.body(&body) {
		return req.refuse(failBody)
	}
	auth := req.scenario.Auth
	refused := failRefresh.withStatus(auth.LoginStatus)
	held, ok := s.tokens.read(body.RefreshToken, "refresh", req.arrived)
	if !ok || held.Tenant != caller.name || auth.Refresh == "refused" {
		return req.refuse(refused)
	}
	if auth.Refresh == "rotating" && !s.tokens.spend(held, req.arrived) {
		return req.refuse(refused)
	}
	granted := claims{Tenant: caller.name, Account: held.Account, Issued: req.number}
	access := s.accessToken(granted, req)
	data := object{
		{"accessToken", access},
		{"encryptedAccessToken", "encrypted." + access},
		{"expireInSeconds", int(auth.tokenLifetime() / time.Second)},
		{"refreshToken", nil},
		{"newRefreshToken", nil},
	}
	switch auth.RefreshFields {
	case "new":
		data[4].value = s.refreshToken(granted, req)
	case "old":
		data[3].value = s.refreshToken(granted, req)
	case "none":
	default:
		data[3].value = body.RefreshToken
		data[4].value = s.refreshToken(granted, req)
	}
	return req.success(data)
}

// authorized checks the bearer token of a protected call before handing it on.
func (s *Server) authorized(req *request, caller *tenant, handle func(*request, *tenant) answer) answer {
	auth := req.scenario.Auth
	named := req.Header.Get("TenancyName")
	if named != "" && named != caller.name || named == "" && auth.TenancyHeader == "always" {
		return req.refuse(failKey.withStatus(auth.KeyStatus))
	}
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	held, ok := s.tokens.read(token, "access", req.arrived)
	revoked := slices.ContainsFunc(auth.RevokeAt, func(at int) bool { return held.Issued < at && at <= req.number })
	if !ok || !strings.EqualFold(scheme, "Bearer") || held.Tenant != caller.name || revoked {
		return req.refuse(failBearer.withStatus(auth.BearerStatus))
	}
	denied := auth.Permission == "missing" || auth.DenyFrom > 0 && req.number >= auth.DenyFrom
	if held.Account != "admin" || req.endpoint == List && denied {
		return req.refuse(failPermission.withStatus(auth.PermitStatus))
	}
	return handle(req, caller)
}

func (s *Server) accessToken(c claims, req *request) string {
	c.Use, c.Expires = "access", req.arrived.Add(req.scenario.Auth.tokenLifetime()).UnixNano()
	return s.tokens.issue(c)
}

func (s *Server) refreshToken(c claims, req *request) string {
	c.Use, c.Expires = "refresh", req.arrived.Add(req.scenario.Auth.refreshLifetime()).UnixNano()
	return s.tokens.issue(c)
}

func (a AuthRules) tokenLifetime() time.Duration {
	if a.TokenLifetime == 0 {
		return 24 * time.Hour
	}
	return a.TokenLifetime
}

func (a AuthRules) refreshLifetime() time.Duration {
	if a.RefreshLifetime == 0 {
		return 7 * 24 * time.Hour
	}
	return a.RefreshLifetime
}

// body decodes the JSON body; field names are matched in any case.
func (r *request) body(into any) bool {
	data, err := io.ReadAll(io.LimitReader(r.Body, longestBody+1))
	return err == nil && len(data) <= longestBody && json.Unmarshal(data, into) == nil
}
