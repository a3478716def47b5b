package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vlens-archiver/store"
)

// Vlens is the vendor's API and how it may be used. The four credentials are
// required; the vendor limits tenancy name, user name and password to 256, 256
// and 32 characters (docs.vlenseg.com, "Login").
type Vlens struct {
	// BaseURL is https, or http to a loopback host. It is kept without a
	// trailing slash and with a lower-case host, because the shared quota is
	// found by it. Default https://api.vlenseg.com.
	BaseURL string `yaml:"base_url"`
	// APIKey is the tenant's static key. Required.
	APIKey store.Sensitive `yaml:"api_key"`
	// TenancyName is the tenant at Vlens. Required.
	TenancyName string `yaml:"tenancy_name"`
	// Username is the portal user's name or email. Required.
	Username store.Sensitive `yaml:"username"`
	// Password is the portal user's password. Required.
	Password store.Sensitive `yaml:"password"`
	Quota    Quota           `yaml:"quota"`
	// Timeout is the longest wait without a byte received; the whole response
	// may take longer. Default 60s.
	Timeout time.Duration `yaml:"timeout"`
	// MaxImageBytes bounds one decoded image, up to 1GiB. Default 16MiB.
	MaxImageBytes ByteSize `yaml:"max_image_bytes"`
	Codes         Codes    `yaml:"codes"`
}

// Quota is the share of the tenant's request limits that the archiver may use.
// Live onboarding draws on the same limits, so the defaults stay below the
// vendor's 10 a second and 60 a minute.
type Quota struct {
	// PerSecond is requests in any second; 0 means no limit. Default 5.
	PerSecond int `yaml:"per_second"`
	// PerMinute is requests in any minute; 0 means no limit. Default 40.
	PerMinute int `yaml:"per_minute"`
	// Margin is added to both windows for clocks and networks. Default 250ms.
	Margin time.Duration `yaml:"margin"`
}

// Codes says what error_code values mean for this tenant; the vendor publishes
// none for these cases. One code has one meaning.
type Codes struct {
	// NotFound: there is no such user. Default none.
	NotFound []int `yaml:"not_found"`
	// Gone: the image or transaction was deleted. Default none.
	Gone []int `yaml:"gone"`
	// Throttled: too many requests. Default 4003.
	Throttled []int `yaml:"throttled"`
	// Permanent: trying again cannot help. Default none.
	Permanent []int `yaml:"permanent"`
}

func (c checker) vlens(v *Vlens) {
	if normal, ok := normalBaseURL(v.BaseURL); ok {
		v.BaseURL = normal
	} else {
		c.found.add("vlens.base_url", "expected an https URL such as https://api.vlenseg.com, without user, query or fragment; http only for a loopback host")
	}

	// The limits are those of the login call.
	c.credential("vlens.api_key", v.APIKey.Reveal(), maxValueBytes)
	c.credential("vlens.tenancy_name", v.TenancyName, 256)
	c.credential("vlens.username", v.Username.Reveal(), 256)
	c.credential("vlens.password", v.Password.Reveal(), 32)

	c.expect(v.Quota.PerSecond >= 0, "vlens.quota.per_second", "expected a number from 0; 0 means no limit")
	c.expect(v.Quota.PerMinute >= 0, "vlens.quota.per_minute", "expected a number from 0; 0 means no limit")
	c.expect(v.Quota.Margin >= 0, "vlens.quota.margin", "expected a duration that is not negative")
	c.expect(v.Timeout > 0, "vlens.timeout", "expected a duration above 0")
	// More would not fit a base64 body into the memory of a small pod.
	c.expect(0 < v.MaxImageBytes && v.MaxImageBytes <= GiB, "vlens.max_image_bytes", "expected a size from 1 byte to 1GiB")
	c.codes(v.Codes)
}

// credential checks a value that goes into HTTP headers or the login body,
// where a stray line end would be refused much later.
func (c checker) credential(key, value string, characters int) {
	c.required(key, value)
	c.expect(utf8.RuneCountInString(value) <= characters, key, fmt.Sprintf("has more than %d characters", characters))
	c.expect(strings.IndexFunc(value, unicode.IsControl) < 0, key, "contains a line end or another control character")
}

func (c checker) codes(codes Codes) {
	var known []int
	for _, list := range []struct {
		key   string
		codes []int
	}{
		{"vlens.codes.not_found", codes.NotFound},
		{"vlens.codes.gone", codes.Gone},
		{"vlens.codes.throttled", codes.Throttled},
		{"vlens.codes.permanent", codes.Permanent},
	} {
		for _, code := range list.codes {
			c.expect(code != 0, list.key, "contains 0, which means success")
			c.expect(!slices.Contains(known, code), list.key, "contains a code that is listed before; a code has one meaning")
			known = append(known, code)
		}
	}
}
