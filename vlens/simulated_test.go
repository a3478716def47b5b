package vlens_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
)

// simulated is a client that archives users of a simulated tenant, one after
// the other, and what must come of it.
type simulated struct {
	name     string
	shows    string // behaviours of the simulator, with "; " between
	tolerate []int  // contradictions and gaps of the vendor's documents, as numbered below
	scenario string // YAML; without a quota there is none
	config   func(*vlens.Config)

	users int           // 0 is one
	every time.Duration // from the end of one to the begin of the next
	// row says that the caller knows the transaction; unnamed that the listing
	// does not tell it.
	row, unnamed bool
	extension    string // of the file names; "" is jpg
	mediaType    string // "" is image/jpeg

	// images is what becomes of each user's six images: one word for all, or
	// "KIND WORD" for one of them and "; rest WORD". A listing that fails is
	// stated instead.
	images   string
	requests string // all requests that arrived, by endpoint and status
	// pause is the least time from the first throttle reply to the next request;
	// it may be a quarter longer.
	pause time.Duration
}

// contradictions are the points on which the vendor's pages disagree or are
// silent, and which a client must get along with.
var contradictions = []string{
	1:  "the transaction id is promised and absent from the schema of the listing",
	2:  "listed values are URLs, or bare names",
	3:  "the code of a success is null, 0 or absent",
	4:  "the status does not matter, or is a real 4xx",
	5:  "403 is a bad token, or a missing permission",
	6:  "60 or 120 requests a minute, or nothing said",
	7:  "the throttle reply is undocumented",
	8:  "TenancyName is for the login, or for every request",
	9:  "six images, or three",
	10: "query parameters are required, or optional",
	11: "a refresh answers with newRefreshToken, refreshToken or both",
	12: "names say jpg or png, whatever the bytes are",
	13: "envelopes lack keys, are another framework's, are HTML or empty",
	14: "no code for a missing user or image is known",
	15: "a success without data",
}

// notTheClients are behaviours that make no difference to the client: they
// concern the user's row, which user is meant, or what changes between runs.
var notTheClients = []string{
	"row: full", "row: local_phone", "row: no_phone", "row: no_email", "row: no_identifier", "row: no_transaction", "row: upper_transaction",
	"phone_of: ID", "transaction_of: ID", "verification: N", "old_images: gone", "old_images: kept", "image: changed",
	"samples: [{percent: P, rules: {…}}]",
}

// TestAgainstTheSimulator runs on a clock that only moves when everyone waits,
// so that hours of waiting cost nothing and every count is exact.
func TestAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(simulatedCases, faultCases()) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, c.run)
		})
	}
}

func TestEveryBehaviourHasACase(t *testing.T) {
	t.Parallel()
	shown, tolerated := map[string]bool{}, map[int]bool{}
	for _, name := range notTheClients {
		shown[name] = true
	}
	for _, c := range slices.Concat(simulatedCases, faultCases()) {
		for name := range strings.SplitSeq(c.shows, "; ") {
			shown[name] = true
		}
		for _, n := range c.tolerate {
			tolerated[n] = true
		}
	}
	delete(shown, "")
	for _, b := range vlenstest.Behaviours() {
		if !shown[b.Name] {
			t.Errorf("no case shows %q", b.Name)
		}
		delete(shown, b.Name)
	}
	for name := range shown {
		t.Errorf("a case shows %q, which the simulator does not know", name)
	}
	for n, what := range contradictions[1:] {
		if !tolerated[n+1] {
			t.Errorf("no case for %d: %s", n+1, what)
		}
	}
}

func (c simulated) run(t *testing.T) {
	server, client := c.start(t)
	for n := range max(c.users, 1) {
		if n > 0 {
			time.Sleep(c.every)
		}
		if got := c.archive(t, server, client, n+1); got != c.images {
			t.Errorf("user %d: %s\nwant: %s", n+1, got, c.images)
		}
	}
	// The server may be busy with the last answer for a while after the client
	// has it all, and counts it then.
	time.Sleep(time.Hour)
	synctest.Wait()
	if got := countersText(server); got != c.requests {
		t.Errorf("requests: %s\nwant:     %s", got, c.requests)
	}
	c.checkPause(t, server)
}

func (c simulated) start(t *testing.T) (*vlenstest.Server, *vlens.Client) {
	t.Helper()
	scenario, err := vlenstest.ParseScenario(c.name, []byte(c.scenario))
	if err != nil {
		t.Fatal(err)
	}
	if scenario.Quota == (vlenstest.QuotaRules{}) {
		scenario.Quota.Preset = "none"
	}
	server, err := vlenstest.New(vlenstest.Options{People: 3, ImageBytes: 8 << 10, Scenario: scenario})
	if err != nil {
		t.Fatal(err)
	}
	listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	served := make(chan struct{})
	web := &http.Server{Handler: server}
	go func() {
		defer close(served)
		_ = web.Serve(listener)
	}()
	transport := &http.Transport{DialContext: listener.dial, DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = web.Close()
		<-served
	})
	config := vlens.Config{
		BaseURL: "http://localhost", APIKey: vlenstest.DefaultAPIKey, TenancyName: vlenstest.DefaultTenancy,
		Username: vlenstest.DefaultUsername, Password: vlenstest.DefaultPassword,
		Timeout: time.Minute, MaxImageBytes: 16 << 20, Attempts: 4,
		Codes: vlens.Codes{
			NotFound: []int{vlenstest.CodeUserNotFound},
			Gone:     []int{vlenstest.CodeTransactionNotFound, vlenstest.CodeImageNotFound},
		},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "localhost" || r.URL.Scheme != "http" {
				t.Errorf("a request went to another host than the configured one: %s", r.URL.Host)
			}
			return transport.RoundTrip(r)
		}),
	}
	if c.config != nil {
		c.config(&config)
	}
	client, err := vlens.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

// archive lists one user and fetches the images, and says what became of them.
func (c simulated) archive(t *testing.T, server *vlenstest.Server, client *vlens.Client, n int) string {
	t.Helper()
	person, _ := server.Person(fmt.Sprintf("u-%06d", n))
	expected, _ := server.Expected(person.ID)
	listing, err := client.List(t.Context(), person.Phone)
	if err != nil {
		return faultText(t, err)
	}
	if named := listing.TransactionID == person.TransactionID; named == c.unnamed || c.unnamed && listing.TransactionID != "" {
		t.Errorf("the listing's transaction is %q, that of the user is %q", listing.TransactionID, person.TransactionID)
	}
	became := make([]string, vlenstest.KindCount)
	for i, kind := range vlenstest.Kinds {
		reference := listing.References[i]
		if reference.FileName == "" {
			became[i] = "absent"
			continue
		}
		name := person.FileName(kind)
		if c.extension != "" {
			name = strings.TrimSuffix(name, "jpg") + c.extension
		}
		if reference.FileName != name {
			t.Errorf("%s is named %q, want %q", kind, reference.FileName, name)
		}
		ask := vlens.ImageRequest{FileName: reference.FileName, TransactionID: listing.TransactionID}
		if c.row {
			ask.TransactionID = strings.ToUpper(person.TransactionID)
		}
		image, err := client.Image(t.Context(), ask)
		if err != nil {
			became[i] = faultText(t, err)
			continue
		}
		became[i] = c.imageText(t, image, expected.Images[kind])
		image.Release()
	}
	return summary(became)
}

func (c simulated) imageText(t *testing.T, image *vlens.Image, want vlenstest.Sum) string {
	t.Helper()
	mediaType := "image/jpeg"
	if c.mediaType != "" {
		mediaType = c.mediaType
	}
	if image.MediaType != mediaType {
		t.Errorf("media type %s, want %s", image.MediaType, mediaType)
	}
	sum := sha256.Sum256(image.Bytes)
	switch {
	case hex.EncodeToString(sum[:]) != want.SHA256:
		return fmt.Sprintf("other bytes (%d, want %d)", len(image.Bytes), want.Bytes)
	case !image.Complete:
		return "incomplete"
	}
	return "stored"
}

// summary is one word for six alike, else those that differ from the last one.
func summary(became []string) string {
	rest := became[len(became)-1]
	var parts []string
	for i, word := range became {
		if word != rest {
			parts = append(parts, fmt.Sprintf("%s %s", vlenstest.Kinds[i], word))
		}
	}
	if parts == nil {
		return rest
	}
	return strings.Join(append(parts, "rest "+rest), "; ")
}

// faultText is endpoint, fault, HTTP status and vendor code; final says that
// asking again cannot help.
func faultText(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*vlens.Error](err)
	if !ok {
		t.Fatalf("%v is no error of the vendor's", err)
	}
	text := fmt.Sprintf("%s %s %d/%d", e.Endpoint, e.Fault, e.Status, e.Code)
	if e.Permanent {
		text += " final"
	}
	return text
}

func countersText(server *vlenstest.Server) string {
	var parts []string
	for _, count := range server.Counters() {
		text := fmt.Sprintf("%s %d", count.Endpoint, count.Status)
		if count.Requests > 1 {
			text += fmt.Sprintf(" ×%d", count.Requests)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func (c simulated) checkPause(t *testing.T, server *vlenstest.Server) {
	t.Helper()
	if c.pause == 0 {
		return
	}
	log := server.Log()
	n := slices.IndexFunc(log, func(e vlenstest.Entry) bool {
		return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
	})
	if n < 0 || n == len(log)-1 {
		t.Error("nothing was throttled and asked again")
		return
	}
	if took := log[n+1].Time.Sub(log[n].Time); took < c.pause || took > c.pause*5/4+time.Second {
		t.Errorf("the next request came %s after a throttle reply, want %s", took, c.pause)
	}
}
