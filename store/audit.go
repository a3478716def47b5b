package store

import (
	"encoding/json"
	"time"
)

// Access is one time somebody took evidence out of the archive, a row of
// access_log. It never holds an email or a phone number.
type Access struct {
	At       time.Time
	Action   string // such as ActionExport
	Actor    string // the account that ran the program
	Subject  Subject
	Reason   string // as the operator gave it
	Objects  int    // how many objects
	AuditKey string // object key of the statement in the bucket
	// AuditSHA256 is that of the statement's bytes, in lower-case hex.
	AuditSHA256 string
}

// ActionExport is the action of an export.
const ActionExport = "export"

// VerifyMode says how deep a verification looked.
type VerifyMode string

// The modes.
const (
	VerifyDefault   VerifyMode = "default"
	VerifyChecksums VerifyMode = "checksums"
	VerifyDeep      VerifyMode = "deep"
)

// Verification is one check of the archive, a row of verifications.
type Verification struct {
	StartedAt time.Time
	EndedAt   time.Time
	Mode      VerifyMode
	Scope     json.RawMessage // a JSON object: what was looked at; {} means everything
	Objects   int64
	Records   int64
	Damaged   int64
	Findings  map[string]int64 // by sort
	AuditKey  string           // object key of the statement in the bucket; empty without one
	// AuditSHA256 is that of the statement's bytes, in lower-case hex; empty
	// without one.
	AuditSHA256 string
}

// StatedRow is what the ledger has of one statement in the bucket: one of Access,
// Verification and Exceptions is set.
type StatedRow struct {
	Access       *Access
	Verification *Verification
	Exceptions   []Exception // of one statement, by subject
	// LogIndex is that of its entry in the log; -1 while it has none. Only
	// exceptions get one.
	LogIndex int64
}

// Statement is the key of the row's statement and the SHA-256 of its bytes; ""
// in rows older than that column.
func (r StatedRow) Statement() (key, sha256 string) {
	switch {
	case r.Access != nil:
		return r.Access.AuditKey, r.Access.AuditSHA256
	case r.Verification != nil:
		return r.Verification.AuditKey, r.Verification.AuditSHA256
	}
	return r.Exceptions[0].AuditKey, r.Exceptions[0].AuditSHA256
}

// Key is the key of the row's statement.
func (r StatedRow) Key() string {
	key, _ := r.Statement()
	return key
}
