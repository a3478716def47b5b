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
	if got := read(manifest.NewExportStatement("export-1", access, tool)).Access("k", "h"); got != access {
		t.Errorf("export: %+v, want %+v", got, access)
	}
	got := read(manifest.NewVerificationStatement("verify-1", "auditor", verification, tool)).Verified("k", "h")
	var scope map[string]int
	if err := json.Unmarshal(got.Scope, &scope); err != nil || scope["sample"] != 5 {
		t.Errorf("scope %s, %v", got.Scope, err)
	}
	got.Scope = verification.Scope // was indented
	if !reflect.DeepEqual(got, verification) {
		t.Errorf("verification: %+v, want %+v", got, verification)
	}

	if _, err := manifest.DecodeStatement([]byte(`{"schema":"vlens-archive/audit/v2"}`)); err == nil {
		t.Error("another schema is read")
	}
	id := manifest.NewStatementID("export", at)
	if !regexp.MustCompile(`^export-20260102t030405z-[0-9a-f]{8}$`).MatchString(id) || strings.Contains(id, "/") {
		t.Errorf("id %q", id)
	}
}
