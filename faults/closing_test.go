package faults_test

import (
	"context"
	"fmt"
	"path"
	"sync"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/worker"
)

// closing are the writes after each of which a process dies that closes a run.
var closing = []string{"begin close", "manifest.jsonl.gz", "summary.json", "objects.csv", "SHA256SUMS"}

// usersPerClosing come to the archive before each run. Its time is over after the
// first batch of them, so that some are left.
const usersPerClosing = 5

// TestProcessDiesClosing lets a process die while it closes a run whose time is
// over, and users are left. Whoever comes next must close the run as its files
// say and add nobody to it. Nothing is damaged then, and the next run archives
// who was left.
func TestProcessDiesClosing(t *testing.T) {
	t.Parallel()
	for name, rerun := range map[string]func(tn *archivetest.Tenant, runID, at string){
		"and is started again at once": rerunAtOnce,
		"and is started again later":   rerunLater,
		"and another run is started":   runAnother,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, tenantOf(usersPerClosing*len(closing)))
			tn.Seals = true
			come := inPortions(tn, usersPerClosing)
			for n, at := range closing {
				t.Run("after "+at, func(t *testing.T) {
					tn.T = t
					come(n)
					runID := fmt.Sprintf("run-%d", n)
					dieClosing(tn, runID, at)
					done := outcomesOf(tn, runID)
					rerun(tn, runID, at)
					if now := outcomesOf(tn, runID); now != done {
						t.Errorf("the run had done %d users when closing it began, and %d at the end", done, now)
					}
					tn.Run(runID+"-next", nil)
					tn.CheckWhole(len(tn.UserIDs()))
					tn.CheckLog()
					checkNoDamage(tn)
				})
			}
		})
	}
}

// dieClosing is a process that dies after that write of closing its run.
func dieClosing(tn *archivetest.Tenant, runID, at string) {
	t := tn.T
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	admit, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f := &fault{at: at, stored: true, die: cancel}
	p := newFaultyProcess(tn, runID, f)
	defer p.Close()
	p.Ledger = &oneBatch{Ledger: p.Ledger, over: func() { stop(worker.ErrTimeBox) }}
	// A run of long ago, for others to see at once that nobody works on it.
	if _, err := p.Ledger.OpenRun(t.Context(), store.Run{ID: runID, Kind: store.RunManual}); err != nil {
		t.Fatal(err)
	}
	tn.ExecLedger(`UPDATE archive.runs SET started_at = started_at - interval '1 hour' WHERE run_id = $1`, runID)

	_, err := p.Run(ctx, admit)
	if !f.met || err == nil {
		t.Fatalf("the run does not come to this write, and ended with %v", err)
	}
	if done := outcomesOf(tn, runID); done == 0 || done == usersPerClosing {
		t.Fatalf("%d users are done, want some to be left", done)
	}
}

// oneBatch claims once. When it is asked to claim again, the time is over.
type oneBatch struct {
	worker.Ledger
	claimed bool
	over    func()
}

func (l *oneBatch) Claim(ctx context.Context, run store.Run, process string, order store.ClaimOrder, n int) ([]store.Task, error) {
	if l.claimed {
		l.over()
		return nil, nil
	}
	l.claimed = true
	return l.Ledger.Claim(ctx, run, process, order, n)
}

// rerunAtOnce is a Job whose pod was killed: its next pod has the same run, and
// comes before the dead one can be told from one that lives.
func rerunAtOnce(tn *archivetest.Tenant, runID, _ string) {
	dead := archivetest.Query[string](tn, `SELECT close_process FROM archive.runs WHERE run_id = $1`, runID)
	p := waiting(tn, runID, func() { tn.TakeOver(dead...) })
	defer p.Close()
	report, err := p.Run(tn.T.Context(), tn.T.Context())
	checkClosed(tn, report, err)
}

// rerunLater is one whose next pod comes when the dead one is known to be.
func rerunLater(tn *archivetest.Tenant, runID, _ string) {
	tn.TakeOver()
	checkClosed(tn, tn.Run(runID, nil), nil)
}

func checkClosed(tn *archivetest.Tenant, report worker.Report, err error) {
	tn.T.Helper()
	if err != nil || !report.Closed || !report.WorkLeft || report.Totals.Run.Status != store.RunClosed {
		tn.T.Errorf("the rerun ended with %v: %+v", err, report)
	}
}

// runAnother is the next night's run. It closes the one it finds as interrupted,
// unless that one's files say already that it was closed.
func runAnother(tn *archivetest.Tenant, runID, at string) {
	t := tn.T
	tn.TakeOver()
	report := tn.Run(runID+"-other", nil)
	want := store.RunClosed
	if at == "begin close" || at == "manifest.jsonl.gz" {
		want = store.RunInterrupted
	}
	if len(report.Interrupted) != 1 || report.Interrupted[0].Run.ID != runID || report.Interrupted[0].Run.Status != want {
		t.Errorf("it found and closed %+v, want run %q, %s", report.Interrupted, runID, want)
	}
}

// TestLiveCloserIsWaitedFor lets a process come to a run that another one is
// closing. It stays until the run is closed, and is done then.
func TestLiveCloserIsWaitedFor(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, tenantOf(3))
	tn.Seals = true
	at, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	closer := tn.Process("nightly", nil)
	defer closer.Close()
	closer.Bucket = slowManifest{closer.Bucket, at, released}
	var group sync.WaitGroup
	defer group.Wait()
	defer release()
	group.Go(func() {
		if report, err := closer.Run(t.Context(), t.Context()); err != nil || !report.Closed {
			t.Errorf("the closer ended with %v: %+v", err, report)
		}
	})
	<-at

	p := waiting(tn, "nightly", release)
	defer p.Close()
	report, err := p.Run(t.Context(), t.Context())
	if err != nil || report.Closed || report.Totals.Run.Status != store.RunClosed {
		t.Errorf("the other ended with %v: %+v", err, report)
	}
	release()
	group.Wait()
	tn.CheckWhole(3)
	checkRunFiles(tn)
	tn.CheckLog()
	checkNoDamage(tn)
}

// slowManifest does not put a run's manifest until it is released.
type slowManifest struct {
	worker.Bucket
	at, released chan struct{}
}

func (b slowManifest) Put(ctx context.Context, request store.PutRequest) (store.Object, bool, error) {
	if path.Base(request.Key) == "manifest.jsonl.gz" {
		close(b.at)
		<-b.released
	}
	return b.Bucket.Put(ctx, request)
}

// waiting is a process that calls back once it has asked what remains of its run
// at the start of its work, then found nothing to claim, and has waited.
func waiting(tn *archivetest.Tenant, runID string, waited func()) *archivetest.Process {
	tn.T.Helper()
	p := tn.Process(runID, nil)
	p.Ledger = &asking{Ledger: p.Ledger, waited: waited}
	return p
}

// asking counts how often what remains is asked, by one goroutine.
type asking struct {
	worker.Ledger
	asked  int
	waited func()
}

func (l *asking) Remaining(ctx context.Context, run store.Run, process string) (store.Remaining, error) {
	if l.asked++; l.asked == 3 {
		l.waited()
	}
	return l.Ledger.Remaining(ctx, run, process)
}

func outcomesOf(tn *archivetest.Tenant, runID string) int64 {
	tn.T.Helper()
	return tn.Count(`SELECT count(*) FROM archive.outcomes WHERE run_id = $1`, runID)
}

// checkNoDamage verifies the archive with the program; no run may be open.
func checkNoDamage(tn *archivetest.Tenant) {
	t := tn.T
	t.Helper()
	if n := tn.Count(`SELECT count(*) FROM archive.runs WHERE status = 'open'`); n != 0 {
		t.Errorf("%d runs are open", n)
	}
	verify := tn.Start(4, "verify", "--deep")
	if code := verify.Wait(); code != 0 {
		t.Errorf("verify ended with %d\n%s%s", code, verify.Stdout, verify.Stderr)
	}
}
