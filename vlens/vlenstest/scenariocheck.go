package vlenstest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// problems are all values of the scenario that have no meaning, in the order
// of the file.
func (sc *Scenario) problems() []problem {
	var list []problem
	add := func(text string, path ...string) { list = append(list, problem{path: path, text: text}) }
	word := func(value, key string, path ...string) {
		if allowed := words(key); value != "" && !slices.Contains(allowed, value) {
			add(fmt.Sprintf("%q is not one of %s", value, strings.Join(allowed, ", ")), path...)
		}
	}
	notNegative := func(value int64, path ...string) {
		if value < 0 {
			add("must not be negative", path...)
		}
	}
	status := func(value int, path ...string) {
		if value != 0 && value != http.StatusUnauthorized && value != http.StatusForbidden && value != http.StatusBadRequest {
			add(fmt.Sprintf("%d is not one of 400, 401, 403", value), path...)
		}
	}

	a := sc.Auth
	notNegative(int64(a.TokenLifetime), "auth", "token_lifetime")
	notNegative(int64(a.RefreshLifetime), "auth", "refresh_lifetime")
	notNegative(int64(a.DenyFrom), "auth", "deny_from")
	word(a.Permission, "auth.permission", "auth", "permission")
	word(a.Account, "auth.account", "auth", "account")
	word(a.Refresh, "auth.refresh", "auth", "refresh")
	word(a.RefreshFields, "auth.refresh_fields", "auth", "refresh_fields")
	word(a.TenancyHeader, "auth.tenancy_header", "auth", "tenancy_header")
	status(a.KeyStatus, "auth", "api_key_status")
	status(a.BearerStatus, "auth", "bearer_status")
	status(a.LoginStatus, "auth", "login_status")
	status(a.PermitStatus, "auth", "permission_status")

	q := sc.Quota
	word(q.Preset, "quota.preset", "quota", "preset")
	word(q.Reply, "quota.reply", "quota", "reply")
	notNegative(int64(q.PerSecond), "quota", "per_second")
	notNegative(int64(q.PerMinute), "quota", "per_minute")
	notNegative(int64(q.RetryAfter), "quota", "retry_after")

	notNegative(int64(sc.Outage.From), "outage", "from")
	notNegative(int64(sc.Outage.Requests), "outage", "requests")
	word(sc.Outage.Fault, faultKey, "outage", "fault")
	notNegative(int64(sc.Latency), "latency")
	notNegative(int64(sc.Delay), "delay")

	list = append(list, sc.All.problems("all")...)
	for i, sample := range sc.Samples {
		if sample.Percent < 0 || sample.Percent > 100 {
			add("must be between 0 and 100", "samples", strconv.Itoa(i), "percent")
		}
		list = append(list, sample.Rules.problems("samples", strconv.Itoa(i), "rules")...)
	}
	for _, id := range slices.Sorted(maps.Keys(sc.Users)) {
		list = append(list, sc.Users[id].problems("users", id)...)
	}
	return list
}

func (r Rules) problems(under ...string) []problem {
	var list []problem
	add := func(text string, keys ...string) {
		list = append(list, problem{path: slices.Concat(under, keys), text: text})
	}
	for _, field := range []struct{ key, value string }{
		{"row", r.Row},
		{"user", r.User},
		{"listing", r.Listing},
		{"references", r.References},
		{"missing", r.Missing},
		{"transaction", r.Transaction},
		{"old_images", r.OldImages},
		{"image", r.Image},
		{"encoding", r.Encoding},
		{"errors", r.Errors},
		{"success_code", r.SuccessCode},
		{"message", r.Message},
		{"descriptions", r.Descriptions},
		{"content_type", r.ContentType},
	} {
		if allowed := words(field.key); field.value != "" && !slices.Contains(allowed, field.value) {
			add(fmt.Sprintf("%q is not one of %s", field.value, strings.Join(allowed, ", ")), field.key)
		}
	}
	if r.Verification < 0 || r.Verification > maxVerification {
		add(fmt.Sprintf("must be between 1 and %d", maxVerification), "verification")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Images)) {
		if kindIndex(kind) < 0 {
			add("is not one of "+kindList(), "images", string(kind))
		}
		if word := r.Images[kind]; !slices.Contains(words("image"), word) && !isFault(word) {
			add(fmt.Sprintf("%q is neither an image (%s) nor a fault (%s)", word,
				strings.Join(words("image"), ", "), strings.Join(words(faultKey), ", ")), "images", string(kind))
		}
	}
	for _, endpoint := range slices.Sorted(maps.Keys(r.Faults)) {
		if !slices.Contains(endpoints, endpoint) {
			add("is not one of login, refresh, list, image, transaction", "faults", string(endpoint))
		}
		if word := r.Faults[endpoint]; !isFault(word) {
			add(fmt.Sprintf("%q is not one of %s, each perhaps followed by \" once\"", word,
				strings.Join(words(faultKey), ", ")), "faults", string(endpoint))
		}
	}
	return list
}

// maxVerification keeps the number in the bits a transaction id has for it.
const maxVerification = 1000

// checkUsers reports user ids the tenant does not have.
func (sc *Scenario) checkUsers(people population) error {
	var list []error
	known := func(id, path string) {
		if id != "" && people.indexOfID(id) == 0 {
			list = append(list, fmt.Errorf("scenario: %s: this tenant has no user %q; its users are u-000001 to u-%06d", path, id, people.size))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(sc.Users)) {
		known(id, "users")
		known(sc.Users[id].PhoneOf, "users."+id+".phone_of")
		known(sc.Users[id].SharesOf, "users."+id+".transaction_of")
	}
	return errors.Join(list...)
}
