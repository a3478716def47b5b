package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

const checkpointKey = archivetest.Prefix + "/log/checkpoint"

// sealed is a tenant of n people whose processes have the signing key.
func sealed(t *testing.T, n int) *archivetest.Tenant {
	t.Helper()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: n, ImageBytes: 4 << 10})
	tn.Seals = true
	return tn
}

// unsigned is a process without a signing key.
func unsigned(tn *archivetest.Tenant, runID string) worker.Report {
	tn.T.Helper()
	p := tn.Process(runID, nil)
	defer p.Close()
	p.Signing = manifest.SigningKey{}
	report, err := p.Run(tn.T.Context(), tn.T.Context())
	if err != nil {
		tn.T.Fatal(err)
	}
	return report
}

type statedSummary struct {
	Log   *manifest.LogHead
	Notes []string
}

func summaryOf(tn *archivetest.Tenant, runID string) statedSummary {
	tn.T.Helper()
	var summary statedSummary
	key := runFolder(tn, runID) + "summary.json"
	if err := json.Unmarshal(tn.ObjectsUnder(key)[key].Body, &summary); err != nil {
		tn.T.Fatal(err)
	}
	return summary
}

// The log as others see it: over HTTP, read and checked by tessera.
func TestLogIsCheckedOverHTTPByOthers(t *testing.T) {
	t.Parallel()
	tn := sealed(t, 12)
	tn.Run("first", nil)
	objects := tn.ObjectsUnder(archivetest.Prefix + "/log/")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		object, there := objects[strings.TrimPrefix(r.URL.Path, "/")]
		if !there {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(object.Body)
	}))
	defer server.Close()
	root, err := url.Parse(server.URL + "/" + archivetest.Prefix + "/log/")
	if err != nil {
		t.Fatal(err)
	}
	fetcher, err := client.NewHTTPFetcher(root, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(archivetest.VerifierKey)
	if err != nil {
		t.Fatal(err)
	}
	leaves := 0
	check := func() error {
		return fsck.New(archivetest.Origin, verifier, fetcher, func(body []byte) (hashes [][]byte, err error) {
			var bundle api.EntryBundle
			err = bundle.UnmarshalText(body)
			for _, entry := range bundle.Entries {
				leaves++
				hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
			}
			return hashes, err
		}, fsck.Opts{}).Check(t.Context())
	}
	if err := check(); err != nil {
		t.Error(err)
	}
	if leaves != 12+1 {
		t.Errorf("it has %d entries, want one for each record and the run", leaves)
	}
	for key, object := range objects {
		if strings.Contains(key, "/entries/") {
			object.Body[5] ^= 1
		}
	}
	if check() == nil {
		t.Error("a changed entry is not seen: the check is none")
	}
}

func TestArchiveWithoutAKeyIsSealedLater(t *testing.T) {
	t.Parallel()
	tn := sealed(t, 5)
	report := unsigned(tn, "first")
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, "unsealed: 6 entries wait") || !strings.Contains(notes, "keygen") {
		t.Errorf("the report notes %q", notes)
	}
	if n := tn.Log.Events("archive_unsealed"); n != 1 {
		t.Errorf("it was logged %d times", n)
	}
	summary := summaryOf(tn, "first")
	if summary.Log != nil || len(summary.Notes) != 1 || !strings.Contains(summary.Notes[0], "5 entries wait") {
		t.Errorf("summary.json says %+v", summary)
	}
	if log := tn.ObjectsUnder(archivetest.Prefix + "/log/"); len(log) != 0 {
		t.Errorf("%d objects of a log", len(log))
	}

	// Nothing is due, and everything is sealed.
	requests := tn.Sim.Requests()
	report = tn.Run("second", nil)
	if len(report.Notes) != 0 || report.Log.Unsealed() != 0 || tn.Sim.Requests() != requests {
		t.Errorf("report %+v, %d requests", report, tn.Sim.Requests()-requests)
	}
	tn.CheckLog()
	if summary := summaryOf(tn, "second"); summary.Log == nil || summary.Log.Size != 6 {
		t.Errorf("summary.json says %+v, want a checkpoint over 5 records and the first run", summary)
	}
}

// dying ends its process when a run was closed.
type dying struct {
	worker.Ledger
	die context.CancelFunc
}

func (l dying) FinishClose(ctx context.Context, runID, process string, status store.RunStatus, sums store.RunObject) error {
	err := l.Ledger.FinishClose(ctx, runID, process, status, sums)
	l.die()
	return err
}

// A process dies between closing its run and sealing it. Whoever starts next
// seals, be it for the same run, which needs nothing more, or for another.
func TestNextProcessSealsWhatADeadOneLeft(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]string{"the same run": "first", "another run": "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := sealed(t, 3)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := tn.Process("first", nil)
			p.Ledger = dying{p.Ledger, cancel}
			_, _ = p.Run(ctx, ctx)
			p.Close()
			if n := tn.Count(`SELECT count(*) FROM archive.log_waiting WHERE kind = 'run'`); n != 1 {
				t.Fatalf("%d runs wait", n)
			}
			report := tn.Run(next, nil)
			if report.AlreadyComplete != (next == "first") || report.Log.Unsealed() != 0 {
				t.Errorf("report %+v", report)
			}
			tn.CheckLog()
		})
	}
}

// The log is sealed while the run goes on, by several processes of two runs.
func TestSeveralProcessesSealOneLog(t *testing.T) {
	t.Parallel()
	tn := sealed(t, 24)
	var group sync.WaitGroup
	for _, runID := range []string{"a", "a", "b"} {
		p := tn.Process(runID, func(config *worker.Config) { config.SealRecords, config.Concurrency = 3, 2 })
		group.Go(func() {
			defer p.Close()
			if _, err := p.Run(t.Context(), t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	tn.CheckWhole(24)
	tn.CheckLog()
	// Each of two runs seals twice at its end; more than that was while they ran.
	if n := tn.Log.Events("log_sealed"); n < 5 {
		t.Errorf("the log was sealed %d times", n)
	}
}

// held stops a process just before it replaces the checkpoint.
type held struct {
	worker.Bucket
	at, release chan struct{}
	result      chan error
	once        *sync.Once
}

func (b held) Put(ctx context.Context, request store.PutRequest) (store.Object, bool, error) {
	if request.Key != checkpointKey {
		return b.Bucket.Put(ctx, request)
	}
	b.once.Do(func() {
		close(b.at)
		<-b.release
	})
	object, created, err := b.Bucket.Put(ctx, request)
	b.result <- err
	return object, created, err
}

func TestFencedOffSealerCannotFork(t *testing.T) {
	t.Parallel()
	tn := sealed(t, 6)
	tn.Run("first", func(config *worker.Config) { config.Limit = 2 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := tn.Process("slow", func(config *worker.Config) {
		config.Limit = 2
		config.Heartbeat, config.Silence = time.Hour, 2*time.Hour // it does not notice that it is taken for dead
	})
	defer p.Close()
	bucket := held{p.Bucket, make(chan struct{}), make(chan struct{}), make(chan error, 8), &sync.Once{}}
	p.Bucket = bucket
	var group sync.WaitGroup
	group.Go(func() { _, _ = p.Run(ctx, ctx) })
	<-bucket.at

	tn.TakeOver()
	tn.Run("fast", nil)
	before := tn.ObjectsUnder(checkpointKey)[checkpointKey].Body
	close(bucket.release)
	if err := <-bucket.result; !errors.Is(err, store.ErrExists) {
		t.Errorf("its checkpoint was answered with %v", err)
	}
	cancel()
	group.Wait()
	if after := tn.ObjectsUnder(checkpointKey)[checkpointKey].Body; !bytes.Equal(before, after) {
		t.Errorf("the checkpoint became\n%s, was\n%s", after, before)
	}
	if n := tn.Log.Events("log_alarm"); n != 0 {
		t.Error("being overtaken raised an alarm")
	}
	tn.TakeOver()
	tn.Run("last", nil)
	tn.CheckLog()
}

// What waited for years is sealed in steps of bounded size.
func TestBacklogIsSealedInSteps(t *testing.T) {
	t.Parallel()
	const waiting = 9000
	tn := sealed(t, 1)
	tn.ExecLedger(`
		INSERT INTO archive.log_waiting (sha256, kind, key)
		SELECT encode(sha256(g::text::bytea), 'hex'), 'record', 'old/' || g FROM generate_series(1, $1::int) AS g`, waiting)
	tn.Run("first", nil)
	objects := make(map[string][]byte)
	for key, object := range tn.ObjectsUnder(archivetest.Prefix + "/log/") {
		objects[strings.TrimPrefix(key, archivetest.Prefix+"/log/")] = object.Body
	}
	entries := archivetest.CheckTree(t, objects, nil)
	if len(entries) != waiting+2 || entries[waiting-1] != archivetest.HashOf([]byte("9000")) {
		t.Errorf("%d entries", len(entries))
	}
	if n := tn.Log.Events("log_sealed"); n < 3 {
		t.Errorf("the log was sealed %d times, want twice for the backlog and once more for the run", n)
	}
}

// stamps is an authority that fails or not.
type stamps struct{ err error }

func (s stamps) Timestamp(_ context.Context, message []byte) ([]byte, error) {
	return append([]byte("stamp of "), message...), s.err
}

// The time stamp is over the very bytes beside it, and a failing authority never
// fails the run.
func TestTimestampStandsBesideTheCheckpoint(t *testing.T) {
	t.Parallel()
	tn := sealed(t, 2)
	for runID, authority := range map[string]stamps{"stamped": {}, "failing": {errors.New("authority is away")}} {
		p := tn.Process(runID, nil)
		p.Timestamps = authority
		if _, err := p.Run(t.Context(), t.Context()); err != nil {
			t.Errorf("%s: %v", runID, err)
		}
		p.Close()
	}
	objects := tn.ObjectsUnder(archivetest.Prefix + "/runs/")
	folder := runFolder(tn, "stamped")
	if got, want := string(objects[folder+"checkpoint.tsr"].Body), "stamp of "+string(objects[folder+"checkpoint"].Body); got != want {
		t.Errorf("the time stamp is %q, want %q", got, want)
	}
	if _, there := objects[runFolder(tn, "failing")+"checkpoint.tsr"]; there || tn.Log.Events("timestamp_failed") != 1 {
		t.Errorf("a failing authority: time stamp %t, %d warnings", there, tn.Log.Events("timestamp_failed"))
	}
	tn.CheckLog()
}
