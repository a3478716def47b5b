package manifest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"vlens-archiver/store"
)

// StatementSchema names the format of the statements under audit/.
const StatementSchema = "vlens-archive/audit/v1"

// Statement says what was done with the archive: one of its parts is set.
type Statement struct {
	Schema string    `json:"schema"`
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"` // the account that ran the program, or the person who acts
	// LedgerID is the ledger that has the rows of it; "" in statements of before
	// ledgers had names.
	LedgerID string `json:"ledger_id,omitempty"`
	// Export: evidence of one subject was handed out.
	Export *ExportStatement `json:"export,omitempty"`
	// Verification: the archive was checked.
	Verification *VerificationStatement `json:"verification,omitempty"`
	// Exception: a person accepted what cannot be had, or no longer accepts it.
	Exception *ExceptionStatement `json:"exception,omitempty"`
	// Unrecorded: the ledger has no row of it, because whoever ran the program
	// may not write there.
	Unrecorded bool `json:"unrecorded,omitempty"`
	Tool       Tool `json:"tool"`
}

// ExportStatement says whose evidence was handed out, and why.
type ExportStatement struct {
	Subject store.Subject `json:"subject"`
	Reason  string        `json:"reason"`
	Objects int           `json:"objects"`
}

// VerificationStatement says what was checked, and what was found.
type VerificationStatement struct {
	StartedAt time.Time        `json:"started_at"`
	EndedAt   time.Time        `json:"ended_at"`
	Mode      store.VerifyMode `json:"mode"`
	Scope     json.RawMessage  `json:"scope"`
	Objects   int64            `json:"objects"`
	Records   int64            `json:"records"`
	Damaged   int64            `json:"damaged"`
	Findings  map[string]int64 `json:"findings"` // by sort
}

// NewStatementID is an id for a statement made at that time about that sort of
// act, such as export-20260102t030405z-1a2b3c4d.
func NewStatementID(act string, at time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(act + "-" + at.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:]))
}

// NewExportStatement states an export.
func NewExportStatement(id, ledgerID string, a store.Access, tool Tool) Statement {
	return Statement{
		Schema: StatementSchema, ID: id, At: Time(a.At), Actor: a.Actor, LedgerID: ledgerID, Tool: tool,
		Export: &ExportStatement{Subject: a.Subject, Reason: a.Reason, Objects: a.Objects},
	}
}

// NewVerificationStatement states a verification that the actor has made.
func NewVerificationStatement(id, ledgerID, actor string, v store.Verification, tool Tool) Statement {
	return Statement{
		Schema: StatementSchema, ID: id, At: Time(v.EndedAt), Actor: actor, LedgerID: ledgerID, Tool: tool,
		Verification: &VerificationStatement{
			StartedAt: Time(v.StartedAt), EndedAt: Time(v.EndedAt), Mode: v.Mode, Scope: v.Scope,
			Objects: v.Objects, Records: v.Records, Damaged: v.Damaged, Findings: v.Findings,
		},
	}
}

// Access is the statement of an export in the words of the ledger. Key and hash
// are the statement's own.
func (s Statement) Access(key, sha256 string) store.Access {
	return store.Access{
		At: s.At, Action: store.ActionExport, Actor: s.Actor, Subject: s.Export.Subject, Reason: s.Export.Reason,
		Objects: s.Export.Objects, AuditKey: key, AuditSHA256: sha256,
	}
}

// Verified is the statement of a verification in the words of the ledger. Key
// and hash are the statement's own.
func (s Statement) Verified(key, sha256 string) store.Verification {
	v := s.Verification
	return store.Verification{
		StartedAt: v.StartedAt, EndedAt: v.EndedAt, Mode: v.Mode, Scope: v.Scope,
		Objects: v.Objects, Records: v.Records, Damaged: v.Damaged, Findings: v.Findings,
		AuditKey: key, AuditSHA256: sha256,
	}
}

// Encode gives the exact bytes of a statement.
func (s Statement) Encode() ([]byte, error) {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode audit statement: %w", err)
	}
	return append(body, '\n'), nil
}

// DecodeStatement reads a statement. What later versions add is let through:
// nobody must lose sight of an access because of a word that is new.
func DecodeStatement(body []byte) (Statement, error) {
	var s Statement
	if err := json.Unmarshal(body, &s); err != nil {
		return Statement{}, fmt.Errorf("decode audit statement: %w", err)
	}
	if s.Schema != StatementSchema {
		return Statement{}, fmt.Errorf("decode audit statement: schema is %q, not %q", s.Schema, StatementSchema)
	}
	if s.Exception != nil {
		if err := s.Exception.check(s.Actor); err != nil {
			return Statement{}, fmt.Errorf("decode audit statement: %w", err)
		}
	}
	return s, nil
}
