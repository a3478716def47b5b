package vlenstest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	sums := func(seed uint64) string {
		t.Helper()
		server, err := New(Options{Seed: seed, Scenario: DemoScenario()})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := server.UsersCSV(&out); err != nil {
			t.Fatal(err)
		}
		expected, _ := server.Expected("u-000023") // both sides of a card, and one selfie
		fmt.Fprintln(&out, expected)
		return hexSum(out.Bytes())
	}
	first, again := sums(5), sums(5)
	if first != again {
		t.Error("the same seed gave other people or pictures")
	}
	if first == sums(6) {
		t.Error("another seed gave the same people and pictures")
	}
}

// The log may be read by anyone: whatever a client sends must not be in it.
func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(nil)})
	person := c.person("u-000001")
	c.list(person.Phone)
	c.list(person.Email)
	c.image(person.TransactionID, person.FileName(IDFront))
	c.get("/api/" + person.Email + "/x?password=" + DefaultPassword)
	c.do("SECRET-"+DefaultPassword, "/", nil)
	var kept bytes.Buffer
	for _, path := range []string{"/_sim/log", "/_sim/counters"} {
		kept.Write(c.get(path).body)
	}
	fmt.Fprintf(&kept, "%+v %+v", c.server.Log(), c.server.Counters())
	for what, secret := range map[string]string{
		"phone": person.Phone[1:], "email": person.Email, "transaction": person.TransactionID,
		"file name": person.FileName(IDFront), "password": DefaultPassword, "API key": DefaultAPIKey,
		"token": strings.TrimPrefix(c.headers["Authorization"], "Bearer "), "refresh token": c.refresh,
	} {
		if strings.Contains(kept.String(), secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
	entry := c.server.Log()[1]
	if entry.Seq != 2 || entry.Endpoint != List || entry.Status != 200 || entry.Method != http.MethodGet || !slices.Contains(entry.Headers, "Authorization") {
		t.Errorf("entry %+v", entry)
	}
}

func TestLogKeepsTheLastRequests(t *testing.T) {
	t.Parallel()
	server, err := New(Options{Scenario: unlimited(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for range logEntries + 25 {
		req := &request{Request: &http.Request{Method: http.MethodGet}, endpoint: List}
		req.number = server.journal.arrive(req)
		server.journal.leave(req, 200)
	}
	log := server.Log()
	if len(log) != logEntries || log[0].Seq != 26 || log[logEntries-1].Seq != logEntries+25 {
		t.Errorf("%d entries, %d to %d", len(log), log[0].Seq, log[len(log)-1].Seq)
	}
}

func TestCountersFollowTheRequests(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{ImageBytes: 8 << 10, Scenario: unlimited(nil)})
	person := c.person("u-000001")
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() { c.image(person.TransactionID, person.FileName(Kinds[i%KindCount])) })
	}
	group.Wait()
	c.list(person.Phone)
	c.list(person.Email)
	c.list("+201000000001")
	if got := c.server.ImageRequests(person.ID); got != 12 {
		t.Errorf("image requests: %d", got)
	}
	if got := c.server.ListRequests(person.ID); got != 2 {
		t.Errorf("list requests: %d", got)
	}
	if got := c.server.Requests(); got != 16 {
		t.Errorf("requests: %d", got)
	}
	if got := c.server.Requests(List, Login); got != 4 {
		t.Errorf("list and login requests: %d", got)
	}
	want := []Count{{Image, 200, 12}, {List, 200, 2}, {List, 404, 1}, {Login, 200, 1}}
	if got := c.server.Counters(); !slices.Equal(got, want) {
		t.Errorf("counters %v, want %v", got, want)
	}
	if peak := c.server.InFlightPeak(); peak < 1 || peak > 12 {
		t.Errorf("in-flight peak: %d", peak)
	}
	var view struct {
		Requests int `json:"requests"`
		Windows  []struct{ Seconds, Limit, Peak, Violations int }
	}
	if err := json.Unmarshal(c.get("/_sim/counters").body, &view); err != nil {
		t.Fatal(err)
	}
	if view.Requests != 16 || len(view.Windows) != 2 || view.Windows[1].Seconds != 60 || view.Windows[1].Peak != 16 {
		t.Errorf("counters over HTTP: %+v", view)
	}
}

func TestScenarioCanBePosted(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{})
	post := func(body string) reply {
		return c.do(http.MethodPost, "/_sim/scenario", strings.NewReader(body))
	}
	if r := post("all: {user: unknown}\n"); r.status != http.StatusNoContent {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	if got := c.ask(); got != 404 {
		t.Errorf("after the change: status %d", got)
	}
	if got := string(c.get("/_sim/scenario").body); got != "all:\n  user: unknown\n" {
		t.Errorf("scenario %q", got)
	}
	if r := post(`{"all": {"user": "nobody"}}`); r.status != 400 || !bytes.Contains(r.body, []byte("unknown")) {
		t.Errorf("wrong scenario: status %d: %s", r.status, r.body)
	}
	if got := c.ask(); got != 404 {
		t.Errorf("after a refused change: status %d", got)
	}
	if r := post("{}"); r.status != http.StatusNoContent || c.ask() != 200 {
		t.Errorf("back to normal: status %d", r.status)
	}
}

func TestPeopleOverHTTP(t *testing.T) {
	t.Parallel()
	c := start(t, Options{ImageBytes: 8 << 10, Scenario: DemoScenario()})
	lines := bufio.NewScanner(bytes.NewReader(c.get("/_sim/people?from=46&n=3&images=true").body))
	var people []struct {
		ID, Phone, Outcome, Class string
		Images                    map[Kind]Sum
	}
	for lines.Scan() {
		people = append(people, struct {
			ID, Phone, Outcome, Class string
			Images                    map[Kind]Sum
		}{})
		if err := json.Unmarshal(lines.Bytes(), &people[len(people)-1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(people) != 3 || people[1].ID != "u-000047" || people[1].Outcome != "partial" || people[1].Class != "gone" || len(people[1].Images) != 5 {
		t.Errorf("people %+v", people)
	}
	for _, query := range []string{"from=0", "n=-1", "n=x"} {
		if r := c.get("/_sim/people?" + query); r.status != 400 {
			t.Errorf("%s: status %d", query, r.status)
		}
	}
	if got := bytes.Count(c.get("/_sim/users.csv").body, []byte("\n")); got != DemoPeople+1 {
		t.Errorf("%d lines of users", got)
	}
}

func TestServeFailsOnAClosedListener(t *testing.T) {
	t.Parallel()
	server, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	listener := listen(t)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(context.Background(), listener); err == nil {
		t.Error("no error")
	}
}

// Not parallel: it counts allocations.
func TestStockImagesCostNoMemory(t *testing.T) {
	server, err := New(Options{ImageBytes: 3 << 20})
	if err != nil {
		t.Fatal(err)
	}
	req := &request{endpoint: Image}
	wanted := picture{index: 1, verification: 1, kind: 2, content: "jpeg"}
	if allocated := testing.AllocsPerRun(20, func() { server.imageAnswer(req, wanted) }); allocated > 10 {
		t.Errorf("%v allocations for an answer", allocated)
	}
	parts := server.imageAnswer(req, wanted).parts
	if &parts[3][0] != &server.album.stock.after[0] {
		t.Error("the encoded image was copied")
	}
}
