package storetest

import (
	"fmt"
	"strings"
	"time"

	"vlens-archiver/store"
)

// sealable is an archive with n records that wait for the log, and two live
// processes p1 and p2 of the run r1.
func (b *ledgerTest) sealable(n int) store.Run {
	b.Helper()
	b.users(people(n)...)
	run := b.synced("r1", "p1", store.Selection{})
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	for i, task := range b.claim(run, "p1", n) {
		result := stored(ended(run, task, store.OutcomeArchived, time.Hour), fmt.Sprintf("t-%016x", i))
		result.Record.SHA256 = fmt.Sprintf("%064x", i)
		result.NewRecords[0].SHA256 = result.Record.SHA256
		b.must(b.Commit(b.Context(), "p1", result))
		b.must(b.Commit(b.Context(), "p1", result)) // its answer was lost
	}
	return run
}

func (b *ledgerTest) logState() store.LogState {
	b.Helper()
	state, err := b.LogState(b.Context())
	b.must(err)
	return state
}

func (b *ledgerTest) seal(process string) store.SealLease {
	b.Helper()
	lease, mine, err := b.BeginSeal(b.Context(), process)
	b.must(err)
	if !mine {
		b.Fatalf("%s may not seal", process)
	}
	return lease
}

func (b *ledgerTest) assign(lease store.SealLease, n int) int64 {
	b.Helper()
	entries, err := b.AssignEntries(b.Context(), lease, n)
	b.must(err)
	return entries
}

func (b *ledgerTest) entries(from, to int64) string {
	b.Helper()
	list, err := b.LogEntries(b.Context(), from, to)
	b.must(err)
	text := ""
	for _, e := range list {
		text += fmt.Sprintf("%d %s %s\n", e.Index, e.Kind, strings.TrimLeft(e.SHA256, "0"))
	}
	return text
}

func (b *ledgerTest) logIndexes() {
	run := b.sealable(5)
	wantEqual(b, "before", b.logState(), store.LogState{Waiting: 5})
	lease := b.seal("p1")
	wantEqual(b, "the first lease", lease.Head, store.LogHead{})
	wantEqual(b, "a first batch", b.assign(lease, 2), 2)
	wantEqual(b, "the rest", b.assign(lease, 100), 5)
	wantEqual(b, "when nothing waits", b.assign(lease, 100), 5)
	wantEqual(b, "entries", b.entries(0, 5), "0 record \n1 record 1\n2 record 2\n3 record 3\n4 record 4\n")
	wantEqual(b, "some", b.entries(2, 4), "2 record 2\n3 record 3\n")
	if _, err := b.LogEntries(b.Context(), 3, 6); err == nil {
		b.Fatal("an entry that has no index is read")
	}
	wantEqual(b, "assigned", b.logState(), store.LogState{Entries: 5})
	wantEqual(b, "unsealed", b.logState().Unsealed(), 5)

	// A record of another run comes in between; the run's own entry is behind
	// all of its records.
	b.must(b.EndSeal(b.Context(), lease))
	mine, err := b.BeginClose(b.Context(), run.ID, "p1")
	b.must(err)
	wantEqual(b, "close", mine, true)
	for range 2 { // its answer was lost
		b.must(b.FinishClose(b.Context(), run.ID, "p1", store.RunClosed, sums))
	}
	wantEqual(b, "the run waits", b.logState(), store.LogState{Entries: 5, Waiting: 1})
	wantEqual(b, "with the run", b.assign(b.seal("p1"), 100), 6)
	wantEqual(b, "the run's entry", b.entries(5, 6), "5 run "+sums.SHA256+"\n")
	b.must(b.FinishClose(b.Context(), run.ID, "p1", store.RunClosed, sums))
	wantEqual(b, "it is in the log once", b.logState(), store.LogState{Entries: 6})
}

func (b *ledgerTest) logLease() {
	b.sealable(2)
	first := b.seal("p1")
	if _, mine, err := b.BeginSeal(b.Context(), "p2"); mine || err != nil {
		b.Fatalf("a second sealer: %v, %v", mine, err)
	}
	if _, mine, err := b.BeginSeal(b.Context(), "stranger"); mine || err != nil {
		b.Fatalf("a stranger: %v, %v", mine, err)
	}
	again := b.seal("p1")
	if again.Token <= first.Token {
		b.Fatalf("token %d after %d", again.Token, first.Token)
	}
	_, err := b.AssignEntries(b.Context(), first, 1)
	b.wantErr(err, store.ErrLeaseLost)
	b.must(b.EndSeal(b.Context(), first)) // an old token frees nothing
	if _, mine, err := b.BeginSeal(b.Context(), "p2"); mine || err != nil {
		b.Fatalf("a second sealer: %v, %v", mine, err)
	}

	// The sealer falls silent; what it still tries is fenced off.
	b.Silence(b.T, "p1")
	second := b.seal("p2")
	wantEqual(b, "entries", b.assign(second, 100), 2)
	head := store.LogHead{Size: 2, Root: "cm9vdA==", ETag: "e2"}
	b.must(b.NoteCheckpoint(b.Context(), second, head))
	b.must(b.NoteCheckpoint(b.Context(), second, head)) // its answer was lost
	_, err = b.AssignEntries(b.Context(), again, 1)
	b.wantErr(err, store.ErrLeaseLost)
	b.wantErr(b.NoteCheckpoint(b.Context(), again, store.LogHead{Size: 2, Root: "b3RoZXI=", ETag: "e3"}), store.ErrLeaseLost)
	b.must(b.EndSeal(b.Context(), again))
	wantEqual(b, "the state", b.logState(), store.LogState{Head: head, Entries: 2})
	b.wantErr(b.NoteCheckpoint(b.Context(), second, store.LogHead{Size: 1, Root: "b3RoZXI="}), store.ErrLeaseLost)

	b.must(b.EndSeal(b.Context(), second))
	b.must(b.Enter(b.Context(), "p3", "worker", "r1"))
	wantEqual(b, "what the next sealer is told", b.seal("p3").Head, head)
}

func (b *ledgerTest) logRuns() {
	run := b.sealable(1)
	sealed := func() string {
		b.Helper()
		runs, err := b.SealedRuns(b.Context())
		b.must(err)
		text := ""
		for _, r := range runs {
			text += fmt.Sprintf("%s at %d ", r.ID, r.Index)
			if r.StartedAt.IsZero() {
				b.Fatal("a sealed run lacks its start")
			}
		}
		wantEqual(b, "runs in the state", b.logState().Runs, int64(len(runs)))
		return text
	}
	_, err := b.BeginClose(b.Context(), run.ID, "p1")
	b.must(err)
	b.must(b.FinishClose(b.Context(), run.ID, "p1", store.RunClosed, sums))
	wantEqual(b, "while it waits", sealed(), "")
	lease := b.seal("p1")
	b.assign(lease, 100)
	wantEqual(b, "with an index only", sealed(), "")
	b.must(b.NoteCheckpoint(b.Context(), lease, store.LogHead{Size: 1, Root: "cm9vdA==", ETag: "e"}))
	wantEqual(b, "under a checkpoint that is too small", sealed(), "")
	b.must(b.NoteCheckpoint(b.Context(), lease, store.LogHead{Size: 2, Root: "cm9vdA==", ETag: "e"}))
	wantEqual(b, "under the checkpoint", sealed(), "r1 at 1 ")
	for range 2 {
		b.must(b.NoteRunCheckpoint(b.Context(), run.ID))
	}
	wantEqual(b, "with a copy beside it", sealed(), "")
}
