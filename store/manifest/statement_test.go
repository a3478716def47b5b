package manifest_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

func TestStatementsReadBack(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	tool := manifest.Tool{Version: "1.0.0", Commit: "abc"}
	access := store.Access{At: at, Action: store.ActionExport, Actor: "auditor", Subject: "abcdefghijklmnopqrstuvwxyz", Reason: "case 7", Objects: 9, AuditKey: "k", AuditSHA256: "h"}
	verification := store.Verification{
		StartedAt: at.Add(-time.Hour), EndedAt: at, Mode: store.VerifyDeep, Scope: json.RawMessage(`{"sample":5}`),
		Objects: 7, Records: 3, Damaged: 1, Findings: map[string]int64{"missing": 1}, AuditKey: "k", AuditSHA256: "h",
	}

	read := func(s manifest.Statement) manifest.Statement {
		t.Helper()
		body, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := manifest.DecodeStatement(body)
		if err != nil || !back.At.Equal(at) || back.ID != s.ID || back.Actor != "auditor" || back.Tool != tool {
			t.Errorf("%+v, %v", back, err)
		}
		return back
	}
	if got := read(manifest.NewExportStatement("export-1", "ledger", access, tool)).Access("k", "h"); got != access {
		t.Errorf("export: %+v, want %+v", got, access)
	}
	got := read(manifest.NewVerificationStatement("verify-1", "ledger", "auditor", verification, tool)).Verified("k", "h")
	var scope map[string]int
	if err := json.Unmarshal(got.Scope, &scope); err != nil || scope["sample"] != 5 {
		t.Errorf("scope %s, %v", got.Scope, err)
	}
	got.Scope = verification.Scope // was indented
	if !reflect.DeepEqual(got, verification) {
		t.Errorf("verification: %+v, want %+v", got, verification)
	}

	wanted := exceptions(at)
	if got := read(manifest.NewExceptionStatement("accept-1", "ledger", "root", wanted, tool)).Exceptions("k", "h"); !reflect.DeepEqual(got, wanted) {
		t.Errorf("exceptions: %+v, want %+v", got, wanted)
	}

	if _, err := manifest.DecodeStatement([]byte(`{"schema":"vlens-archive/audit/v2"}`)); err == nil {
		t.Error("another schema is read")
	}
	id := manifest.NewStatementID("export", at)
	if !regexp.MustCompile(`^export-20260102t030405z-[0-9a-f]{8}$`).MatchString(id) || strings.Contains(id, "/") {
		t.Errorf("id %q", id)
	}
}

// exceptions are one act about two users, one of whom has no verification to name.
func exceptions(at time.Time) []store.Exception {
	one := store.Exception{
		Subject: "abcdefghijklmnopqrstuvwxyz", Transaction: "7c1e4f0a-5b7d-4a38-9d59-1f0a8c1b2d3e", Class: store.ClassGone, Act: store.ExceptionAccepted,
		Reason: "ticket 7", Actor: "auditor", At: manifest.Time(at), AuditKey: "k", AuditSHA256: "h",
	}
	other := one
	other.Subject, other.Transaction, other.VerifiedAt, other.Class = "bbcdefghijklmnopqrstuvwxyz", "", at.Add(time.Microsecond), store.ClassNoIdentifier
	return []store.Exception{one, other}
}

// A statement that no ledger could take is none, whoever wrote it.
func TestStatementsThatNoLedgerTakes(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(*manifest.Statement){
		"an unknown act":       func(s *manifest.Statement) { s.Exception.Act = "deleted" },
		"no reason":            func(s *manifest.Statement) { s.Exception.Reason = "" },
		"nobody acts":          func(s *manifest.Statement) { s.Actor = "" },
		"about nobody":         func(s *manifest.Statement) { s.Exception.Subjects = nil },
		"no subject":           func(s *manifest.Statement) { s.Exception.Subjects[0].Subject = "U-1" },
		"a subject twice":      func(s *manifest.Statement) { s.Exception.Subjects[1].Subject = s.Exception.Subjects[0].Subject },
		"no class":             func(s *manifest.Statement) { s.Exception.Subjects[0].Class = "" },
		"a byte of no text":    func(s *manifest.Statement) { s.Exception.Subjects[0].Transaction = "a\x00b" },
		"a byte in the reason": func(s *manifest.Statement) { s.Exception.Reason = "a\x00b" },
	} {
		s := manifest.NewExceptionStatement("accept-1", "ledger", "root", exceptions(time.Now()), manifest.Tool{})
		spoil(&s)
		body, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.DecodeStatement(body); err == nil {
			t.Errorf("%s: it is read", what)
		}
	}
}
