package manifest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("../../docs/" + name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(name+".json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func validate(t *testing.T, name string, body []byte) error {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return schema(t, name).Validate(instance)
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Files of a run and statements follow their schemas, and what is not in them is
// refused.
func TestRunFilesAndStatementsFollowTheirSchemas(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	tool := manifest.Tool{Version: "1", Commit: "c"}
	const ledger = "0b0e7f46-3a51-4a52-b1a0-0d1f2c3b4a59"
	totals := store.RunTotals{
		Run:   store.Run{ID: "nightly-1", Kind: store.RunScheduled, StartedAt: at},
		Users: map[store.State]int64{store.StatePending: 1}, UsersTotal: 1, OldestPendingAt: at,
		Failures: map[store.Class]int64{}, Requests: map[string]int64{"login": 1, "refresh": 1, "list": 1, "image": 6, store.UntoldRequests: 2},
	}
	for _, info := range store.Classes {
		totals.Failures[info.Class] = 1
	}
	sealed := manifest.NewSummary(totals, store.RunClosed, at, tool)
	sealed.Log = manifest.NewLogHead(store.LogHead{Size: 3, Root: strings.Repeat("A", 43) + "="})
	sealed.Notes = append(sealed.Notes, "do this")
	image := record().Images[0].Stored()
	export := store.Access{At: at, Actor: "root", Subject: subject, Reason: "request 7", Objects: 7}
	check := store.Verification{StartedAt: at, EndedAt: at, Mode: store.VerifyDeep, Scope: json.RawMessage(`{}`), Findings: map[string]int64{"missing": 1}}
	unrecorded := manifest.NewVerificationStatement(manifest.NewStatementID("verify", at), ledger, "root", check, tool)
	unrecorded.Unrecorded = true
	for what, c := range map[string]struct {
		schema string
		body   []byte
	}{
		"summary":        {"summary", encoded(t, manifest.NewSummary(store.RunTotals{Run: totals.Run}, store.RunInterrupted, at, tool))},
		"sealed summary": {"summary", encoded(t, sealed)},
		"line": {"manifest-line", encoded(t, manifest.NewLine(store.RunEntry{
			Subject: subject, Outcome: store.OutcomePartial, Class: store.ClassGone, Transaction: transaction,
			Record: store.RecordRef{Key: "k", SHA256: hash}, Images: []store.Image{image, {Kind: store.Face1, State: store.ImageAbsent}},
		}))},
		"line without a record": {"manifest-line", encoded(t, manifest.NewLine(store.RunEntry{Subject: subject, Outcome: store.OutcomeNotFound}))},
		"export":                {"audit", encoded(t, manifest.NewExportStatement(manifest.NewStatementID("export", at), ledger, export, tool))},
		"verification":          {"audit", encoded(t, manifest.NewVerificationStatement(manifest.NewStatementID("verify", at), ledger, "root", check, tool))},
		"unrecorded":            {"audit", encoded(t, unrecorded)},
		"exception":             {"audit", encoded(t, manifest.NewExceptionStatement(manifest.NewStatementID("accept", at), ledger, "root", exceptions(at), tool))},
	} {
		if err := validate(t, c.schema, c.body); err != nil {
			t.Errorf("%s: %v\n%s", what, err, c.body)
		}
		more := append([]byte(`{"more": 1, `), c.body[1:]...)
		if err := validate(t, c.schema, more); err == nil {
			t.Errorf("%s: a field that the schema lacks is let through", what)
		}
	}
}

func wholeRecord() manifest.Record {
	r := record()
	r.Source = manifest.Source{BaseURL: "https://api.vlenseg.com", Identifier: "phone"}
	ref := store.Ref(strings.Repeat("a", 32))
	r.Images[1].Ref = &ref
	r.Storage = manifest.NewStorage(store.Location{Bucket: "b", Encryption: "sse-s3", LockMode: "governance", LockDays: 5}, r.ArchivedAt)
	return r
}

func TestRecordsFollowTheirSchema(t *testing.T) {
	t.Parallel()
	locked := wholeRecord()
	unnamed := wholeRecord()
	unnamed.TransactionID = manifest.TransactionID("t-0123456789abcdef")
	unnamed.Storage = manifest.NewStorage(store.Location{Bucket: "b", Encryption: "none", LockMode: "none"}, unnamed.ArchivedAt)
	generic := wholeRecord() // HEIF of any codec
	generic.Images[0].MediaType = new("image/heif")
	for _, r := range []manifest.Record{locked, unnamed, generic} {
		body, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, "record", body); err != nil {
			t.Errorf("%v\n%s", err, body)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	good, err := wholeRecord().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a stored image without a hash": {`"sha256": "` + hash + `"`, `"sha256": null`},
		"an image missing":              {`"kind": "face_3"`, `"kind": "face_2"`},
		"an unknown class":              {`"class": "gone"`, `"class": "went away"`},
		"a file name as a ref":          {`"ref": "79e1c3d0db333b892246d6bb07560320"`, `"ref": "front.jpg"`},
		"an extra field":                {`"sequence": 1`, `"sequence": 1, "email": "x"`},
		"a local time":                  {`"archived_at": "2`, `"archived_at": "local 2`},
		"an identifier":                 {`"identifier": "phone"`, `"identifier": "+201001234567"`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		if bad == string(good) {
			t.Errorf("%s: nothing was changed", name)
		} else if validate(t, "record", []byte(bad)) == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// The media types of the schema are those that an image can be stored with.
func TestSchemaKnowsEveryMediaType(t *testing.T) {
	t.Parallel()
	text := schemaText(t, "record")
	named := regexp.MustCompile(`"(image|application)/[a-z]+"`).FindAllString(text, -1)
	if len(named) != len(store.Extensions()) {
		t.Errorf("it has %d, want %d", len(named), len(store.Extensions()))
	}
	for _, quoted := range named {
		if store.Extension(strings.Trim(quoted, `"`)) == "" {
			t.Errorf("%s has no extension", quoted)
		}
	}
}

// A record has the classes of the table that an image can have; a line of a
// manifest and a summary have all.
func TestSchemasKnowEveryClass(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"record", "manifest-line", "summary"} {
		text := schemaText(t, name)
		for _, info := range store.Classes {
			want := name != "record" || info.Image != ""
			if got := strings.Contains(text, `"`+string(info.Class)+`"`); got != want {
				t.Errorf("class %s in the schema of %s: %v", info.Class, name, got)
			}
		}
	}
}

func TestSchemasKnowEveryKind(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"record", "manifest-line"} {
		text := schemaText(t, name)
		for _, kind := range store.Kinds {
			if !strings.Contains(text, `"`+string(kind)+`"`) {
				t.Errorf("kind %s is not in the schema of %s", kind, name)
			}
		}
	}
}

func schemaText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
