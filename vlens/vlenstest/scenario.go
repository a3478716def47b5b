package vlenstest

import (
	"maps"
	"slices"
	"time"
)

// Scenario says how the tenant behaves. The zero Scenario is a tenant that
// follows the vendor's documents and has a good day; every empty value means
// the default that Behaviours marks. A scenario can be replaced while the
// server runs; what the server has counted and issued so far is kept.
type Scenario struct {
	Auth    AuthRules     `yaml:"auth,omitempty"`
	Quota   QuotaRules    `yaml:"quota,omitempty"`
	Outage  OutageRules   `yaml:"outage,omitempty"`
	Latency time.Duration `yaml:"latency,omitempty"` // added to every answer
	Delay   time.Duration `yaml:"delay,omitempty"`   // how long a slow fault takes; 0 means 2 s

	All     Rules            `yaml:"all,omitempty"`     // for every user
	Samples []Sample         `yaml:"samples,omitempty"` // for shares of the users; a later sample wins
	Users   map[string]Rules `yaml:"users,omitempty"`   // by user id; wins over all and samples
}

// Sample gives rules to a share of the users, chosen by the seed: the same
// users each time, and other users for each sample of the list.
type Sample struct {
	Percent float64 `yaml:"percent"` // 0 to 100
	Rules   Rules   `yaml:"rules"`
}

// AuthRules says how the tenant treats credentials. Statuses are a guess in
// every case, because the vendor's pages disagree.
type AuthRules struct {
	TokenLifetime   time.Duration `yaml:"token_lifetime,omitempty"`   // 0 means 24 h
	RefreshLifetime time.Duration `yaml:"refresh_lifetime,omitempty"` // 0 means 168 h
	RevokeAt        []int         `yaml:"revoke_at,omitempty"`        // at these requests (1 = the first) every access token dies
	DenyFrom        int           `yaml:"deny_from,omitempty"`        // from this request on the "Requests" permission is missing
	Permission      string        `yaml:"permission,omitempty"`
	Account         string        `yaml:"account,omitempty"`
	Refresh         string        `yaml:"refresh,omitempty"`
	RefreshFields   string        `yaml:"refresh_fields,omitempty"`
	TenancyHeader   string        `yaml:"tenancy_header,omitempty"`
	KeyStatus       int           `yaml:"api_key_status,omitempty"`    // wrong or missing ApiKey; 0 means 401
	BearerStatus    int           `yaml:"bearer_status,omitempty"`     // wrong, expired or missing bearer; 0 means 401
	LoginStatus     int           `yaml:"login_status,omitempty"`      // wrong password or refresh token; 0 means 401
	PermitStatus    int           `yaml:"permission_status,omitempty"` // end-user token, missing permission; 0 means 403
}

// QuotaRules says how many requests a tenant may make and what it hears when
// it makes more.
type QuotaRules struct {
	Preset      string        `yaml:"preset,omitempty"`
	PerSecond   int           `yaml:"per_second,omitempty"` // 0 means the preset's
	PerMinute   int           `yaml:"per_minute,omitempty"` // 0 means the preset's
	Reply       string        `yaml:"reply,omitempty"`
	RetryAfter  time.Duration `yaml:"retry_after,omitempty"` // 0 means until the window has room, in whole seconds
	CountDenied bool          `yaml:"count_denied,omitempty"`
}

// OutageRules makes the whole service fail for a while.
type OutageRules struct {
	From     int    `yaml:"from,omitempty"`     // the first request that fails; 0 means no outage
	Requests int    `yaml:"requests,omitempty"` // how many fail; 0 means all that follow
	Fault    string `yaml:"fault,omitempty"`    // any fault; empty means html_502
}

// Rules is how the tenant treats one user, or all of them.
type Rules struct {
	Row      string `yaml:"row,omitempty"`
	User     string `yaml:"user,omitempty"`
	PhoneOf  string `yaml:"phone_of,omitempty"`       // the row carries this user's phone: a recycled number
	SharesOf string `yaml:"transaction_of,omitempty"` // the listing shows this user's transaction and images

	Listing     string `yaml:"listing,omitempty"`
	References  string `yaml:"references,omitempty"`
	Missing     string `yaml:"missing,omitempty"`
	Transaction string `yaml:"transaction,omitempty"`

	Verification int    `yaml:"verification,omitempty"` // which verification is the current one; 0 means the first
	OldImages    string `yaml:"old_images,omitempty"`

	Image    string          `yaml:"image,omitempty"`
	Images   map[Kind]string `yaml:"images,omitempty"` // for one kind; wins over image
	Encoding string          `yaml:"encoding,omitempty"`

	Errors       string `yaml:"errors,omitempty"`
	SuccessCode  string `yaml:"success_code,omitempty"`
	Message      string `yaml:"message,omitempty"`
	Descriptions string `yaml:"descriptions,omitempty"`
	ContentType  string `yaml:"content_type,omitempty"`

	Faults map[Endpoint]string `yaml:"faults,omitempty"` // a fault, or a fault and " once": once for each user and image
}

// over lays r over base: what r says wins, what it leaves empty is base's.
func (r Rules) over(base Rules) Rules {
	for _, field := range []struct{ mine, theirs *string }{
		{&r.Row, &base.Row},
		{&r.User, &base.User},
		{&r.PhoneOf, &base.PhoneOf},
		{&r.SharesOf, &base.SharesOf},
		{&r.Listing, &base.Listing},
		{&r.References, &base.References},
		{&r.Missing, &base.Missing},
		{&r.Transaction, &base.Transaction},
		{&r.OldImages, &base.OldImages},
		{&r.Image, &base.Image},
		{&r.Encoding, &base.Encoding},
		{&r.Errors, &base.Errors},
		{&r.SuccessCode, &base.SuccessCode},
		{&r.Message, &base.Message},
		{&r.Descriptions, &base.Descriptions},
		{&r.ContentType, &base.ContentType},
	} {
		if *field.mine == "" {
			*field.mine = *field.theirs
		}
	}
	if r.Verification == 0 {
		r.Verification = base.Verification
	}
	r.Images = laid(r.Images, base.Images)
	r.Faults = laid(r.Faults, base.Faults)
	return r
}

func laid[K comparable](mine, theirs map[K]string) map[K]string {
	if len(mine) == 0 {
		return theirs
	}
	both := maps.Clone(theirs)
	if both == nil {
		both = map[K]string{}
	}
	maps.Copy(both, mine)
	return both
}

// rules is how the scenario treats one person.
func (sc *Scenario) rules(people population, index int) Rules {
	rules := sc.All
	for i, sample := range sc.Samples {
		if float64(people.hash("sample", uint64(i), uint64(index))%1_000_000) < sample.Percent*10_000 {
			rules = sample.Rules.over(rules)
		}
	}
	if len(sc.Users) > 0 {
		if own, found := sc.Users[userID(index)]; found {
			rules = own.over(rules)
		}
	}
	return rules
}

// clone is a copy that shares no map or slice with sc.
func (sc *Scenario) clone() Scenario {
	c := *sc
	c.Auth.RevokeAt = slices.Clone(sc.Auth.RevokeAt)
	c.All = sc.All.clone()
	c.Samples = slices.Clone(sc.Samples)
	for i := range c.Samples {
		c.Samples[i].Rules = c.Samples[i].Rules.clone()
	}
	c.Users = make(map[string]Rules, len(sc.Users))
	for id, rules := range sc.Users {
		c.Users[id] = rules.clone()
	}
	return c
}

func (r Rules) clone() Rules {
	r.Images = maps.Clone(r.Images)
	r.Faults = maps.Clone(r.Faults)
	return r
}

// image is what the user has under a kind: a word of the image or the fault
// table.
func (r Rules) image(kind Kind) string {
	if r.Listing == "empty" {
		return "absent"
	}
	if word := r.Images[kind]; word != "" {
		return word
	}
	if r.Image != "" {
		return r.Image
	}
	return "jpeg"
}

func (r Rules) verification() int { return max(1, r.Verification) }
