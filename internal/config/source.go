package config

import (
	"regexp"
	"slices"

	"github.com/nyaruka/phonenumbers"

	"vlens-archiver/store"
)

// Source is the company's database of users.
type Source struct {
	// DatabaseURL is a postgres:// URL. Required.
	DatabaseURL store.Sensitive `yaml:"database_url"`
	// UsersSQL is one SELECT or WITH statement that gives the columns id, email
	// and phone, and may give transaction_id and verified_at. It may end in a
	// semicolon. Default: SELECT id::text AS id, email, phone FROM users.
	UsersSQL string `yaml:"users_sql"`
	// LookupSQL gives the same columns for the ids in $1, for a UsersSQL that
	// is costly to filter. Default "": UsersSQL is filtered.
	LookupSQL string `yaml:"lookup_sql"`
	// PhoneRegion is the ISO 3166 country whose dialling rules complete local
	// numbers. Default EG.
	PhoneRegion string `yaml:"phone_region"`
	// Identifiers are "phone" and "email" in the order to try; each try costs a
	// request of the quota. Default phone, email.
	Identifiers []string `yaml:"identifiers"`
	// AllowPersonalIDs accepts user ids shaped like a phone, an email or a
	// national id. Default false: ids are kept in the ledger as they are.
	AllowPersonalIDs bool `yaml:"allow_personal_ids"`
}

var (
	// selectStatement matches the beginning of a query, after comments. Whether
	// the rest is one statement is for the database to say: it is used as a
	// sub-query, which can hold nothing else.
	selectStatement = regexp.MustCompile(`(?is)^(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|WITH)\b`)
	idsParameter    = regexp.MustCompile(`\$1\b`)
)

func (c checker) source(s Source) {
	c.databaseURL("source.database_url", s.DatabaseURL)
	c.query("source.users_sql", s.UsersSQL)
	if s.LookupSQL != "" {
		c.query("source.lookup_sql", s.LookupSQL)
		c.expect(idsParameter.MatchString(s.LookupSQL), "source.lookup_sql", "expected the ids as a parameter, as in WHERE id = ANY($1)")
	}
	c.expect(phonenumbers.GetSupportedRegions()[s.PhoneRegion], "source.phone_region", "expected a country code of two capital letters such as EG")
	c.expect(len(s.Identifiers) > 0, "source.identifiers", "expected phone, email or both")
	for i, identifier := range s.Identifiers {
		c.oneOf("source.identifiers", identifier, "phone", "email")
		c.expect(!slices.Contains(s.Identifiers[:i], identifier), "source.identifiers", "names an identifier twice")
	}
}

func (c checker) query(key, sql string) {
	c.expect(selectStatement.MatchString(sql), key, "expected a statement that begins with SELECT or WITH")
}

func (c checker) databaseURL(key string, value store.Sensitive) {
	c.required(key, value.Reveal())
	c.expect(isDatabaseURL(value.Reveal()), key, "expected postgres://user:password@host:port/database, special characters in the password percent-encoded")
}
