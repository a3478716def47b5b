package worker_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// Everything the vendor and the company know of people and all secrets are
// planted; then runs meet every kind of trouble, and whatever they leave behind
// is searched.
func TestNothingPersonalLeaks(t *testing.T) {
	t.Parallel()
	scenario := vlenstest.DemoScenario()
	scenario.All = vlenstest.Rules{Message: "arabic", Descriptions: "array"}
	scenario.Auth = vlenstest.AuthRules{RevokeAt: []int{200}, Refresh: "refused"}
	for id, fault := range map[string]string{
		"u-000151": "error", "u-000152": "reset once", "u-000153": "html_502", "u-000154": "empty_200",
		"u-000155": "short_length", "u-000156": "long_length once", "u-000157": "throttled once",
	} {
		scenario.Users[id] = vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.List: fault}}
	}
	scenario.Users["u-000158"] = vlenstest.Rules{Message: "english", Descriptions: "object", Errors: "ok", User: "unknown"}
	tn := archivetest.NewTenant(t, vlenstest.Options{People: vlenstest.DemoPeople, Seed: 14, ImageBytes: 8 << 10, Scenario: scenario})
	tokens := recordTokens(t, tn)

	var failures []string
	attempt := func(runID string, vendor func(*vlens.Config)) {
		if _, err := runWith(tn, runID, vendor, func(c *worker.Config) { c.OutageBound = 2 * time.Second }); err != nil {
			failures = append(failures, err.Error())
		}
	}
	due := func(edit func(*vlenstest.Scenario)) {
		if err := tn.Sim.Change(edit); err != nil {
			t.Fatal(err)
		}
		tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	}
	attempt("demo", func(*vlens.Config) {})
	arguments := processArguments(t)
	due(func(s *vlenstest.Scenario) { s.All.Verification = 2; s.Auth = vlenstest.AuthRules{} })
	attempt("again", func(c *vlens.Config) { c.MaxImageBytes = 4 << 10 })
	due(func(s *vlenstest.Scenario) { s.All.Faults = map[vlenstest.Endpoint]string{vlenstest.List: "error"} })
	attempt("same-error", func(*vlens.Config) {})
	due(func(s *vlenstest.Scenario) { s.Auth.Permission = "missing" })
	attempt("no-permission", func(*vlens.Config) {})
	attempt("no-login", func(c *vlens.Config) { c.Password = "planted-wrong-password" })
	objects := tn.Objects()
	if err := tn.S3.Stop(); err != nil {
		t.Fatal(err)
	}
	attempt("no-bucket", func(*vlens.Config) {})
	tn.StopVendor()
	if len(failures) != 4 {
		t.Errorf("four runs must fail, these did: %q", failures)
	}

	planted := append(plantedSecrets(tn), tokens()...)
	outside := []find{{"the log", tn.Log.String()}, {"errors", strings.Join(failures, "\n")}, {"process arguments", arguments}}
	for key, object := range objects {
		outside = append(outside, find{"an object key", key}, find{"metadata of " + key, fmt.Sprint(object.Metadata)})
		if strings.HasSuffix(key, ".jpg") || strings.HasSuffix(key, ".png") {
			planted = append(planted, secret{"image bytes", base64.StdEncoding.EncodeToString(object.Body)[600:660]},
				secret{"image bytes in hex", hex.EncodeToString(object.Body[450:500])})
			continue
		}
		outside = append(outside, find{key, bodyText(t, key, object.Body)})
	}
	search(t, outside, append(planted, secret{"a user id", "u-000"}))
	search(t, ledgerRows(t, tn), planted)
}

// find is a text and where it was found; secret a text and what it is.
type (
	find   struct{ where, text string }
	secret struct{ what, text string }
)

func search(t *testing.T, in []find, secrets []secret) {
	t.Helper()
	if len(secrets) < 1000 || len(in) == 0 {
		t.Fatalf("%d secrets and %d places: the search proves nothing", len(secrets), len(in))
	}
	told := map[string]bool{}
	for _, place := range in {
		for _, s := range secrets {
			if s.text == "" {
				t.Fatalf("%s is empty", s.what)
			}
			if strings.Contains(place.text, s.text) && !told[place.where+s.what] {
				told[place.where+s.what] = true
				t.Errorf("%s shows %s: %q", place.where, s.what, s.text)
			}
		}
	}
}

// plantedSecrets are what is known before the runs.
func plantedSecrets(tn *archivetest.Tenant) []secret {
	key, _ := base64.StdEncoding.DecodeString(archivetest.SubjectKey)
	secrets := []secret{
		{"the password", vlenstest.DefaultPassword},
		{"a wrong password", "planted-wrong-password"},
		{"the API key", vlenstest.DefaultAPIKey},
		{"the user name", vlenstest.DefaultUsername},
		{"the subject key", archivetest.SubjectKey},
		{"the subject key in hex", hex.EncodeToString(key)},
		{"text of the vendor", "contact support"},
		{"text of the vendor", "not found."},
		{"text of the vendor", "not valid."},
		{"text of the vendor", "permissions are not granted"},
		{"text of the vendor", "غير"},
		{"text of the vendor", "خطأ"},
	}
	for user := range tn.Sim.Users() {
		person, _ := tn.Sim.Person(user.ID)
		digits := strings.TrimPrefix(person.Phone, "+20")
		secrets = append(secrets,
			secret{"a name", person.Name},
			secret{"a national id", person.NationalID},
			secret{"an email", person.Email},
			secret{"a phone", digits}, // in any form
		)
		for _, kind := range vlenstest.Kinds {
			name, _ := strings.CutSuffix(person.FileName(kind), ".jpg")
			secrets = append(secrets, secret{"a file name", name})
		}
		// The first verification's names end in another date.
		name, _, _ := strings.Cut(person.FileName(vlenstest.IDFront), "_")
		secrets = append(secrets, secret{"a file name", name + "_"})
	}
	return secrets
}

// recordTokens puts a gateway before the vendor that keeps a copy of all tokens.
func recordTokens(t *testing.T, tn *archivetest.Tenant) func() []secret {
	t.Helper()
	behind, err := url.Parse(tn.VendorURL)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var tokens []secret
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Request.URL.Path, "/api/credentials/") {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var answer struct{ Data map[string]any }
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for name, value := range answer.Data {
			if text, ok := value.(string); ok {
				tokens = append(tokens, secret{name, text})
			}
		}
		return nil
	}
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	gateway := httptest.NewServer(proxy)
	t.Cleanup(gateway.Close)
	tn.VendorURL = gateway.URL
	return func() []secret {
		mu.Lock()
		defer mu.Unlock()
		if len(tokens) < 4 {
			t.Errorf("only %d tokens were seen", len(tokens))
		}
		return tokens
	}
}

func bodyText(t *testing.T, key string, body []byte) string {
	t.Helper()
	if !strings.HasSuffix(key, ".gz") {
		return string(body)
	}
	plain, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ledgerRows are all rows of all tables. The user id may stand in its own
// column of three of them, and nowhere else.
func ledgerRows(t *testing.T, tn *archivetest.Tenant) []find {
	t.Helper()
	var rows []find
	tables := archivetest.Query[string](tn, `
		SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'archive' AND table_type = 'BASE TABLE' ORDER BY 1`)
	for _, table := range tables {
		hidden := ""
		if table == "subjects" || table == "outcomes" || table == "run_users" {
			hidden = " - 'user_id'"
		}
		for _, row := range archivetest.Query[string](tn, `SELECT (to_jsonb(r)`+hidden+`)::text FROM archive.`+table+` AS r`) {
			if strings.Contains(row, "u-000") {
				t.Errorf("table %s shows a user id: %s", table, row)
			}
			rows = append(rows, find{"table " + table, row})
		}
	}
	if len(tables) < 8 || len(rows) < 1000 {
		t.Fatalf("%d rows in %d tables: the search proves nothing", len(rows), len(tables))
	}
	return rows
}

// processArguments are those of all processes of this machine, which any of its
// users may read.
func processArguments(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		t.Fatalf("list processes: %d files, %v", len(files), err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the process has ended
		}
		all.Write(bytes.ReplaceAll(text, []byte{0}, []byte{' '}))
	}
	return all.String()
}
