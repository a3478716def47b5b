package vlenstest

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestScenarioFileErrorsSayWhere(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, file string
		want       []string
	}{
		{"unknown key", "all:\n  listings: full\n", []string{"s.yaml:2:3", "listings"}},
		{"unknown key at the top", "users: {}\nuser: {}\n", []string{"s.yaml:2:1", "user"}},
		{"duplicate key", "latency: 1s\nlatency: 2s\n", []string{"s.yaml:2:1", "latency"}},
		{"second document", "latency: 1s\n---\nlatency: 2s\n", []string{"second YAML document"}},
		{"wrong type", "outage:\n  from: soon\n", []string{"s.yaml:2:9"}},
		{"wrong word", "all:\n  listing: fool\n", []string{"s.yaml:2:", "all.listing", `"fool" is not one of full, empty, renamed, data_null`}},
		{"wrong word of a user", "users:\n  u-000007:\n    image: jpeg\n    images: {face_1: gon}\n", []string{"s.yaml:4:", "users.u-000007.images.face_1", "gone"}},
		{"wrong kind", "all:\n  images: {face_4: gone}\n", []string{"s.yaml:2:", "all.images.face_4", "face_3"}},
		{"wrong endpoint", "all:\n  faults:\n    lists: stall\n", []string{"s.yaml:3:", "all.faults.lists"}},
		{"wrong fault", "all:\n  faults:\n    list: stall twice\n", []string{"s.yaml:3:", "stall twice"}},
		{"wrong word of a sample", "samples:\n  - percent: 1\n    rules: {}\n  - percent: 2\n    rules: {row: tall}\n", []string{"s.yaml:5:", "samples.1.rules.row"}},
		{"share above all", "samples:\n  - percent: 101\n    rules: {}\n", []string{"s.yaml:2:", "between 0 and 100"}},
		{"two at once", "auth: {refresh: no, bearer_status: 404}\nquota: {reply: \"418\", per_second: -1}\n", []string{"auth.refresh", "auth.bearer_status", "quota.reply", "quota.per_second"}},
		{"negative time", "delay: -1s\n", []string{"s.yaml:1:", "negative"}},
		{"too many verifications", "all: {verification: 1001}\n", []string{"s.yaml:1:", "1000"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseScenario("s.yaml", []byte(tc.file))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestScenarioFileIsRead(t *testing.T) {
	t.Parallel()
	got, err := ParseScenario("s.yaml", []byte(`
latency: 20ms
auth: {token_lifetime: 1m, revoke_at: [10, 20]}
quota: {preset: ocr, reply: 429_seconds}
outage: {from: 100, requests: 5, fault: reset}
all: {success_code: "null"}
samples:
  - percent: 2.5
    rules: {images: {face_3: absent}}
users:
  u-000003: {faults: {image: error once}, references: absolute_urls}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Scenario{
		Latency: 20 * time.Millisecond,
		Auth:    AuthRules{TokenLifetime: time.Minute, RevokeAt: []int{10, 20}},
		Quota:   QuotaRules{Preset: "ocr", Reply: "429_seconds"},
		Outage:  OutageRules{From: 100, Requests: 5, Fault: "reset"},
		All:     Rules{SuccessCode: "null"},
		Samples: []Sample{{Percent: 2.5, Rules: Rules{Images: map[Kind]string{Face3: "absent"}}}},
		Users:   map[string]Rules{"u-000003": {Faults: map[Endpoint]string{Image: "error once"}, References: "absolute_urls"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	for name, empty := range map[string]string{"empty": "", "comment": "# nothing\n", "JSON": "{}"} {
		if sc, err := ParseScenario(name, []byte(empty)); err != nil || !reflect.DeepEqual(sc, Scenario{}) {
			t.Errorf("%s: %+v, %v", name, sc, err)
		}
	}
}

func TestScenarioSurvivesItsOwnFile(t *testing.T) {
	t.Parallel()
	demo := DemoScenario()
	data, err := demo.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseScenario("demo", data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, demo) {
		t.Errorf("got %+v", again)
	}
}

// Every row of the table must be something a file can say.
func TestEveryBehaviourCanBeSaid(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range choices {
		if seen[c.key+c.word] || c.doc == "" {
			t.Errorf("%s: %s is there twice or has no text", c.key, c.word)
		}
		seen[c.key+c.word] = true
		file := "all: {" + c.key + ": \"" + c.word + "\"}"
		if section, key, found := strings.Cut(c.key, "."); found {
			file = section + ": {" + key + ": \"" + c.word + "\"}"
		}
		if c.key == faultKey {
			file = "all: {faults: {list: " + c.word + ", image: " + c.word + " once}, images: {face_1: " + c.word + "}}\noutage: {fault: " + c.word + "}"
		}
		if _, err := ParseScenario("table", []byte(file)); err != nil {
			t.Error(err)
		}
	}
	for _, b := range Behaviours() {
		if b.Name == "" || b.Doc == "" || b.Scope != "tenant" && b.Scope != "user" {
			t.Errorf("%+v", b)
		}
	}
}

func TestScenarioMustFitTheTenant(t *testing.T) {
	t.Parallel()
	for name, sc := range map[string]Scenario{
		"user":           {Users: map[string]Rules{"u-000201": {}}},
		"phone_of":       {Users: map[string]Rules{"u-000001": {PhoneOf: "u-1"}}},
		"transaction_of": {Users: map[string]Rules{"u-000001": {SharesOf: "someone"}}},
		"word":           {All: Rules{Row: "tall"}},
	} {
		if _, err := New(Options{Scenario: sc}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	server, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Change(func(sc *Scenario) { sc.All.Image = "painting" }); err == nil {
		t.Error("a wrong change was taken")
	}
	if !reflect.DeepEqual(server.Scenario().All, Rules{}) {
		t.Error("a refused change left a trace")
	}
}

func TestSamplesTakeTheirShare(t *testing.T) {
	t.Parallel()
	server, err := New(Options{People: 5_000, ImageBytes: 8 << 10, Scenario: Scenario{
		Samples: []Sample{
			{Percent: 10, Rules: Rules{Listing: "empty"}},
			{Percent: 5, Rules: Rules{User: "unknown"}},
		},
		Users: map[string]Rules{"u-000001": {User: "known", Listing: "full"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := server.ExpectedOutcomes()
	for outcome, want := range map[string]int{"not_found": 250, "no_images": 475, "archived": 4_275} {
		if got := outcomes[outcome]; got < want*4/5 || got > want*6/5 {
			t.Errorf("%s: %d users, want about %d", outcome, got, want)
		}
	}
	if expected, _ := server.Expected("u-000001"); expected.Outcome != "archived" {
		t.Errorf("u-000001: %+v", expected)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]Options{
		"people":        {People: -1},
		"many people":   {People: MaxPeople + 1},
		"small images":  {ImageBytes: 100},
		"large images":  {ImageBytes: 17 << 20},
		"long password": {Password: strings.Repeat("x", 33)},
		"API key":       {APIKey: OtherAPIKey},
	} {
		if _, err := New(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
