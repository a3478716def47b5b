package config

import (
	"time"

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
