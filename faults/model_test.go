package faults_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/storetest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// TestModel does things to a small archive in random order: users come, go and
// verify again, the vendor loses and spoils images or forgets users, time passes,
// runs die at any write or lose an answer, services are absent. Bucket and ledger are
// in memory and accuse whoever breaks their rules. After every run whoever counts as
// archived is in the bucket in the newest verification. At the end the vendor is well
// again: then everybody must be archived, and a run after it must find nothing to do.
func TestModel(t *testing.T) {
	random(t)
	for name, value := range map[string]string{
		"rapid.checks":     longOr("1000", "15"),
		"rapid.steps":      "12",
		"rapid.seed":       fmt.Sprint(seed),
		"rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		m := newModel(t, r)
		r.Repeat(map[string]func(*rapid.T){
			"come or go":   m.comeOrGo,
			"verify again": m.verifyAgain,
			"run":          m.cleanRun,
			"die in a run": m.die,
			"spoil":        m.spoil,
			"forget":       m.forget,
			"pass time":    m.passTime,
			"be absent":    m.beAbsent,
			"":             m.checkArchived,
		})
		m.recover(r)
		m.check(r)
	})
}

const modelPeople = 4

type model struct {
	t      *testing.T
	sim    *vlenstest.Server
	bucket *storetest.MemoryBucket
	ledger *storetest.MemoryLedger

	in    map[string]bool            // users in the source
	ever  map[string]string          // images that the vendor had of users in the source, as ExpectedImages
	rules map[string]vlenstest.Rules // how the vendor treats each user
	runs  []string

	passed atomic.Int64 // how far the ledger's clock is ahead, in nanoseconds
}

func newModel(t *testing.T, r *rapid.T) *model {
	options := tenantOf(modelPeople)
	options.Scenario.Quota.Preset = "none"
	sim, err := vlenstest.New(options)
	if err != nil {
		r.Fatal(err)
	}
	m := &model{
		t: t, sim: sim,
		bucket: storetest.NewMemoryBucket(t, store.Location{Bucket: "memory", Encryption: "none", LockMode: "none"}),
		in:     map[string]bool{}, ever: map[string]string{}, rules: map[string]vlenstest.Rules{},
	}
	m.ledger = storetest.NewMemoryLedger(t, func() time.Time { return time.Now().Add(time.Duration(m.passed.Load())) })
	for user := range sim.Users() {
		m.in[user.ID] = true
	}
	m.sourceChanged()
	return m
}

func (m *model) anybody(r *rapid.T) string {
	return fmt.Sprintf("u-%06d", rapid.IntRange(1, modelPeople).Draw(r, "user"))
}

func (m *model) comeOrGo(r *rapid.T) {
	id := m.anybody(r)
	m.in[id] = !m.in[id]
	m.sourceChanged()
}

func (m *model) verifyAgain(r *rapid.T) {
	id := m.anybody(r)
	m.treat(r, id, func(rules *vlenstest.Rules) {
		rules.Verification = max(1, rules.Verification) + 1
		rules.Images = nil // the new ones are well
	})
}

// sourceChanged tells the ledger the rows of the user query.
func (m *model) sourceChanged() {
	var rows []store.User
	for user := range m.sim.Users() {
		if m.in[user.ID] {
			rows = append(rows, store.User{
				ID: user.ID, Email: store.Sensitive(user.Email), Phone: store.Sensitive(user.Phone),
				TransactionID: user.TransactionID, VerifiedAt: user.VerifiedAt,
			})
			for key, hash := range archivetest.ExpectedImages(m.sim, user.ID) {
				m.ever[key] = hash
			}
		}
	}
	m.ledger.SetUsers(rows...)
}

func (m *model) cleanRun(r *rapid.T) {
	asked := m.asked()
	if _, err := m.run(r.Context(), m.newRun(), &fault{}); err != nil {
		r.Fatalf("clean run: %v", err)
	}
	m.checkAsked(r, asked)
}

// die ends a process just before or just after one of its writes; its users are
// free at once, as if the time of a takeover had passed. A successor may take up
// the same run.
func (m *model) die(r *rapid.T) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	runID := m.newRun()
	f := &fault{at: rapid.SampledFrom(writes).Draw(r, "write"), stored: rapid.Bool().Draw(r, "stored"), die: cancel}
	process, err := m.run(ctx, runID, f)
	if f.met == (err == nil) {
		r.Fatalf("run that dies at %q (met: %t): %v", f.at, f.met, err)
	}
	m.ledger.Silence(process)
	if rapid.Bool().Draw(r, "taken up") {
		if _, err := m.run(r.Context(), runID, &fault{}); err != nil {
			r.Fatalf("successor of a process that died at %q: %v", f.at, err)
		}
	}
}

func (m *model) newRun() string {
	m.runs = append(m.runs, fmt.Sprintf("run-%d", len(m.runs)))
	return m.runs[len(m.runs)-1]
}

// run is one process's part in a run. It returns the last id of the process.
func (m *model) run(ctx context.Context, runID string, f *fault, changes ...func(*worker.Config)) (process string, err error) {
	// Closing the server waits for what a dying process has asked: it is not
	// counted as a request of the next one.
	vendor := httptest.NewServer(m.sim)
	defer vendor.Close()
	client, err := archivetest.VendorClient(vendor.URL)
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	key, err := store.ParseSubjectKey(archivetest.SubjectKey)
	if err != nil {
		return "", err
	}
	config := archivetest.WorkerConfig(runID, key, vendor.URL)
	config.Concurrency = 4
	for _, change := range changes {
		change(&config)
	}
	noted := &entered{Ledger: m.ledger}
	w := worker.New(config, worker.Parts{
		Users:  faultyUsers{m.ledger, f},
		Ledger: faultyLedger{noted, f},
		Bucket: faultyBucket{m.bucket, f},
		Vendor: client, Key: key, Signing: archivetest.Signing(m.t), Log: slog.New(slog.DiscardHandler),
	})
	_, err = w.Run(ctx, ctx)
	return noted.process, err
}

// entered notes the id by which the process is known, and has the clock of the
// machine.
type entered struct {
	worker.Ledger
	process string
}

func (e *entered) Enter(ctx context.Context, process, name, runID string) error {
	e.process = process
	return e.Ledger.Enter(ctx, process, name, runID)
}

func (e *entered) Clock(context.Context) (time.Time, error) { return time.Now(), nil }

// checkLog checks the log against every checkpoint that was ever published, and
// that every record and closed run is in it.
func (m *model) checkLog(r *rapid.T) {
	log := archivetest.Prefix + "/log/"
	objects := map[string][]byte{}
	var published [][]byte
	for object, err := range m.bucket.ListVersions(r.Context(), archivetest.Prefix+"/") {
		if err != nil {
			r.Fatal(err)
		}
		if !strings.HasPrefix(object.Key, log) {
			continue
		}
		reader, _, err := m.bucket.Get(r.Context(), object.Key, object.VersionID)
		if err != nil {
			r.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		if err != nil {
			r.Fatal(err)
		}
		if object.Latest {
			objects[strings.TrimPrefix(object.Key, log)] = body
		}
		if object.Key == log+"checkpoint" {
			published = append(published, body)
		}
	}
	slices.SortStableFunc(published, func(a, b []byte) int { return cmp.Compare(sizeOf(a), sizeOf(b)) })
	entries := archivetest.CheckTree(r, objects, published)

	state, err := m.ledger.LogState(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	if state.Unsealed() != 0 || state.Runs != 0 || state.Entries != int64(len(entries)) {
		r.Errorf("%d entries are in the log, the ledger says %+v", len(entries), state)
	}
	inLog := map[string]int{}
	for _, entry := range entries {
		inLog[entry]++
	}
	for object, err := range m.bucket.List(r.Context(), archivetest.Prefix+"/subjects/") {
		if err != nil {
			r.Fatal(err)
		}
		if !m.present(object.Key) {
			continue // what a dead attempt left of somebody who left is found on coming back
		}
		there, err := m.bucket.Head(r.Context(), object.Key, "")
		if err != nil {
			r.Fatal(err)
		}
		if strings.Contains(object.Key, "/record.") && inLog[there.SHA256] != 1 {
			r.Errorf("%q is in the log %d times", object.Key, inLog[there.SHA256])
		}
	}
}

// present reports whether the key is of a user whom the source has now.
func (m *model) present(key string) bool {
	for id, in := range m.in {
		if in && strings.Contains(key, "/"+archivetest.SubjectOf(id)+"/") {
			return true
		}
	}
	return false
}

// sizeOf is the second line of a checkpoint.
func sizeOf(checkpoint []byte) int {
	size, _ := strconv.Atoi(strings.Split(string(checkpoint), "\n")[1])
	return size
}

// check compares vendor, ledger and bucket after a clean run.
func (m *model) check(r *rapid.T) {
	inBucket, inLedger := map[string]string{}, map[string]string{}
	for object, err := range m.bucket.List(r.Context(), archivetest.Prefix+"/subjects/") {
		if err != nil {
			r.Fatal(err)
		}
		there, err := m.bucket.Head(r.Context(), object.Key, "")
		if err != nil {
			r.Fatal(err)
		}
		inBucket[object.Key] = there.SHA256
	}
	for _, runID := range m.runs {
		for object, err := range m.ledger.RunObjects(r.Context(), runID) {
			if err != nil {
				r.Fatal(err)
			}
			inLedger[object.Key] = object.SHA256
			if inBucket[object.Key] != object.SHA256 {
				r.Errorf("the ledger has %q, the bucket has not", object.Key)
			}
		}
	}
	for key, hash := range inBucket {
		image, _, isImage := strings.Cut(key, ".jpg")
		if isImage && m.ever[image] != hash {
			r.Errorf("%q is in the bucket and never was at the vendor", key)
		}
	}
	var present []string
	for id, in := range m.in {
		if in {
			present = append(present, id)
		}
	}
	slices.Sort(present)
	for key, hash := range archivetest.ExpectedImages(m.sim, present...) {
		if inLedger[key+".jpg"] != hash {
			r.Errorf("%q is not in the ledger", key)
		}
	}

	m.checkLog(r)
	before := m.sim.Requests()
	m.cleanRun(r)
	if spent := m.sim.Requests() - before; spent != 0 {
		r.Errorf("a run after it spent %d requests", spent)
	}
}
