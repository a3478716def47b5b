package worker_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// calls are the ids of requests as they arrived at the vendor, by what they asked
// for: the file name, or "" for a listing.
type calls struct {
	mu  sync.Mutex
	ids map[string][]string
}

func countCalls(tn *archivetest.Tenant) *calls {
	tn.T.Helper()
	c := &calls{ids: make(map[string][]string)}
	tn.VendorURL = archivetest.Gateway(tn.T, tn.VendorURL, func(_ http.ResponseWriter, r *http.Request) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.Method == http.MethodGet {
			c.ids[r.URL.Query().Get("FileName")] = append(c.ids[r.URL.Query().Get("FileName")], r.Header.Get("X-Request-Id"))
		}
		return false
	})
	return c
}

type statedSource struct {
	RequestID  string    `json:"request_id"`
	VendorDate time.Time `json:"vendor_date"`
}

type statedRecord struct {
	Source statedSource
	Images []struct {
		Kind   vlenstest.Kind
		State  string
		Source *statedSource
	}
}

func recordsOf(tn *archivetest.Tenant) map[string]statedRecord {
	tn.T.Helper()
	records := make(map[string]statedRecord)
	for key, object := range tn.Objects() {
		at := strings.LastIndex(key, "/record.")
		if at < 0 {
			continue
		}
		var record statedRecord
		if err := json.Unmarshal(object.Body, &record); err != nil {
			tn.T.Fatal(err)
		}
		records[key[at+1:]] = record
	}
	return records
}

// check compares the sources that a record states with the calls that arrived.
func (c *calls) check(tn *archivetest.Tenant, record statedRecord, listing int) {
	tn.T.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	person, _ := tn.Sim.Person("u-000001")
	fresh := func(s statedSource) bool { return time.Since(s.VendorDate).Abs() < time.Hour }
	if lists := c.ids[""]; len(lists) <= listing || record.Source.RequestID != lists[listing] || !fresh(record.Source) {
		tn.T.Errorf("the listing is stated as %+v, asked for by %v", record.Source, lists)
	}
	for _, image := range record.Images {
		ids := c.ids[person.FileName(image.Kind)]
		if image.Source == nil || len(ids) == 0 || image.Source.RequestID != ids[len(ids)-1] || !fresh(*image.Source) {
			tn.T.Errorf("%s is stated as %+v, asked for by %v", image.Kind, image.Source, ids)
		}
	}
}

// Records name the answers that they go back to: also of what is not stored, of
// what an attempt left that died, and of what an earlier record stated.
func TestRecordsNameTheAnswers(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, Seed: 50, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{
		All: vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}},
	}})
	c := countCalls(tn)
	open := refuse(tn, refusal{400, "SomethingNew"}, putsOf(".json", 0))
	p := tn.Process("stopped", nil)
	_, err := p.Run(t.Context(), t.Context())
	p.Close()
	if err == nil {
		t.Fatal("the record was written")
	}
	open()
	tn.Run("first", nil)
	c.check(tn, recordsOf(tn)["record.0001.json"], 1)

	if err := tn.Sim.Change(func(s *vlenstest.Scenario) { s.All = vlenstest.Rules{} }); err != nil {
		t.Fatal(err)
	}
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	backfillFailed(tn, "second")
	c.check(tn, recordsOf(tn)["record.0002.json"], 2)
}

func backfillFailed(tn *archivetest.Tenant, runID string) {
	tn.T.Helper()
	tn.Run(runID, func(c *worker.Config) {
		c.Run.Kind = store.RunBackfill
		c.Run.Selection = store.Selection{Failed: true}
	})
}

// The log line of a failure has what a ticket needs.
func TestFailureNamesItsRequest(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, Seed: 51, Scenario: vlenstest.Scenario{All: fault(vlenstest.List, "error")}})
	c := countCalls(tn)
	tn.Run("first", nil)
	for line := range strings.Lines(tn.Log.String()) {
		if !strings.Contains(line, `"event":"user_done"`) {
			continue
		}
		var said struct {
			RequestID  string    `json:"request_id"`
			VendorDate time.Time `json:"vendor_date"`
			HTTPStatus int       `json:"http_status"`
			VendorCode int       `json:"vendor_code"`
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatal(err)
		}
		lists := c.ids[""]
		if len(lists) != 2 || said.RequestID != lists[1] || said.HTTPStatus != 500 || said.VendorCode != vlenstest.CodeUnspecified || said.VendorDate.IsZero() {
			t.Errorf("asked by %v; the log says %s", lists, line)
		}
		return
	}
	t.Error("the log does not say how the user ended")
}
