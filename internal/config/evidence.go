package config

import (
	"fmt"
	"strings"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Evidence is the signed log of what was archived.
type Evidence struct {
	// Origin names the log and its key, as a C2SP signed note does: no spaces,
	// plus signs or scheme. Default vlens-archive/ and the tenancy name.
	Origin string `yaml:"origin"`
	// SigningKey signs checkpoints, read by manifest.ParseSigningKey; it names
	// Origin. Default "": archive now, seal later.
	SigningKey store.Sensitive `yaml:"signing_key"`
	// TimestampURL is an RFC 3161 time-stamping authority. Default "": none.
	TimestampURL string `yaml:"timestamp_url"`
}

func (c checker) evidence(e *Evidence, tenancyName string) {
	c.optionalURL("evidence.timestamp_url", e.TimestampURL)
	if e.Origin == "" && !c.found.has("evidence.origin") {
		e.Origin = "vlens-archive/" + tenancyName
	}
	valid := ValidOrigin(e.Origin)
	c.expect(valid, "evidence.origin", "expected a name such as acme.example/vlens-archive, without spaces, plus signs or scheme; when not set it is made of vlens.tenancy_name")
	if valid {
		c.signingKey(e.SigningKey, e.Origin)
	}
}

// ValidOrigin reports whether the name may be evidence.origin. C2SP signed-note:
// a key name has neither Unicode spaces nor plus signs. C2SP tlog-checkpoint: an
// origin is a URL without its scheme.
func ValidOrigin(name string) bool {
	return name != "" && !strings.ContainsFunc(name, notInName) && !strings.Contains(name, "+") && !strings.Contains(name, "://")
}

func (c checker) signingKey(text store.Sensitive, origin string) {
	const name = "evidence.signing_key"
	if text == "" {
		return
	}
	key, err := manifest.ParseSigningKey(text)
	switch {
	case err != nil:
		c.found.add(name, "expected a key as `vlens-archiver keygen` makes it: PRIVATE+KEY+ and so on, on one line")
	case key.Origin() != origin:
		c.found.add(name, fmt.Sprintf("signs for %q, and evidence.origin is %q: use the key of this log, or make one with `vlens-archiver keygen`", key.Origin(), origin))
	}
}
