package storetest

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"vlens-archiver/store"
)

func (b *ledgerTest) remaining() {
	b.users(people(3)...)
	run := b.synced("r1", "p1", store.Selection{})
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	left := func(process string) store.Remaining {
		b.Helper()
		remaining, err := b.Remaining(b.Context(), run, process)
		b.must(err)
		return remaining
	}
	wantEqual(b, "at the start", left("p1"), store.Remaining{Due: 3, Others: 1})
	tasks := b.claim(run, "p2", 2)
	wantEqual(b, "two in work", left("p1"), store.Remaining{Due: 1, Leased: 2, Others: 1})
	b.finish(run, "p2", tasks[0], store.OutcomeArchived, 0)
	wantEqual(b, "one done", left("p1"), store.Remaining{Due: 1, Leased: 1, Others: 1})
	b.Silence(b.T, "p2")
	wantEqual(b, "the other died", left("p1"), store.Remaining{Due: 2})

	// A user in the hands of another run is waited for: should its process die,
	// the user is left to this run. One who is done in this run is not.
	other := b.synced("r2", "p3", store.Selection{})
	b.claim(other, "p3", 2)
	wantEqual(b, "in another run", left("p1"), store.Remaining{Due: 1, Leased: 1})
	b.Silence(b.T, "p3")
	wantEqual(b, "and that one died too", left("p1"), store.Remaining{Due: 2})
}

var sums = store.RunObject{Key: "v/runs/r1/SHA256SUMS", SHA256: strings.Repeat("a", 64)}

func (b *ledgerTest) close() {
	b.users(people(2)...)
	run := b.synced("r1", "p1", store.Selection{})
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	begin := func(process string) bool {
		b.Helper()
		mine, err := b.BeginClose(b.Context(), run.ID, process)
		b.must(err)
		return mine
	}
	task := b.claim(run, "p1", 1)[0]
	wantEqual(b, "while another works", begin("p2"), false)
	b.finish(run, "p1", task, store.OutcomeArchived, time.Hour)
	wantEqual(b, "for a stranger", begin("stranger"), false)
	left := func(process string) store.Remaining {
		b.Helper()
		remaining, err := b.Remaining(b.Context(), run, process)
		b.must(err)
		return remaining
	}
	wantEqual(b, "before anybody closes", left("p1"), store.Remaining{Due: 1, Others: 1})
	held := b.claim(run, "p2", 1)[0]
	wantEqual(b, "when no other works", begin("p2"), true)
	wantEqual(b, "again", begin("p2"), true)
	wantEqual(b, "a second one", begin("p1"), false)
	b.wantErr(b.Commit(b.Context(), "p2", ended(run, held, store.OutcomeArchived, 0)), store.ErrLeaseLost)

	// Whoever is there waits for the closer, which does not wait for itself.
	wantEqual(b, "while another closes", left("p1"), store.Remaining{Leased: 1, Others: 1, Closing: true})
	wantEqual(b, "for the closer", left("p2"), store.Remaining{Leased: 1, Others: 1})
	b.wantIDs("nothing is claimed while closing", b.claim(run, "p1", 1))

	// When the closer dies, what it wrote stands: the run can only be closed.
	b.Silence(b.T, "p2")
	wantEqual(b, "after the closer died", left("p1"), store.Remaining{})
	b.wantIDs("nothing is claimed after the closer died", b.claim(run, "p1", 1))
	next := b.synced("r2", "p3", store.Selection{})
	b.wantIDs("who is left is due in the next run", b.claim(next, "p3", 2), held.UserID)
	wantEqual(b, "when nobody is waited for any more", left("p1"), store.Remaining{})
	wantEqual(b, "by the one that is left", begin("p1"), true)
	b.wantErr(b.FinishClose(b.Context(), run.ID, "p2", store.RunClosed, sums), store.ErrLeaseLost)
	b.must(b.FinishClose(b.Context(), run.ID, "p1", store.RunClosed, sums))
	b.must(b.FinishClose(b.Context(), run.ID, "p1", store.RunClosed, sums))
	wantEqual(b, "of a closed run", begin("p1"), false)
	closed, err := b.OpenRun(b.Context(), store.Run{ID: "r1", Kind: store.RunManual})
	b.must(err)
	if closed.Status != store.RunClosed || closed.EndedAt.IsZero() {
		b.Fatalf("closed run = %+v", closed)
	}
	b.wantIDs("nothing is claimed of a closed run", b.claim(run, "p1", 1))
	wantEqual(b, "of the closed run", left("p2"), store.Remaining{Others: 1})
}

// A process that leaves without having closed the run hands on the closing of it,
// and nothing else.
func (b *ledgerTest) closeGivenUp() {
	b.users(people(2)...)
	run := b.synced("r1", "p1", store.Selection{})
	mine, err := b.BeginClose(b.Context(), run.ID, "p1")
	b.must(err)
	wantEqual(b, "close", mine, true)
	b.must(b.Leave(b.Context(), "p1", store.RunCounts{}))
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	b.wantIDs("nothing is claimed", b.claim(run, "p2", 2))
	left, err := b.Remaining(b.Context(), run, "p2")
	b.must(err)
	wantEqual(b, "left", left, store.Remaining{})
	mine, err = b.BeginClose(b.Context(), run.ID, "p2")
	b.must(err)
	wantEqual(b, "close by the next", mine, true)
}

func (b *ledgerTest) closeAbandoned() {
	b.users(people(2)...)
	run := b.synced("r1", "p1", store.Selection{})
	task := b.claim(run, "p1", 1)[0]
	b.synced("r2", "p2", store.Selection{})
	interrupted := func() string {
		b.Helper()
		runs, err := b.Interrupted(b.Context(), "r2")
		b.must(err)
		names := ""
		for _, run := range runs {
			names += run.ID + " "
		}
		return names
	}
	wantEqual(b, "while its process lives", interrupted(), "")
	mine, err := b.BeginClose(b.Context(), "r1", "p2")
	b.must(err)
	wantEqual(b, "close of a run that is alive", mine, false)

	b.Silence(b.T, "p1")
	b.Age(b.T, "r1")
	wantEqual(b, "after it died", interrupted(), "r1 ")
	mine, err = b.BeginClose(b.Context(), "r1", "p2")
	b.must(err)
	wantEqual(b, "close of an abandoned run", mine, true)
	b.wantErr(b.Commit(b.Context(), "p1", ended(run, task, store.OutcomeArchived, 0)), store.ErrLeaseLost)
	wantEqual(b, "while it is closed", interrupted(), "")
	b.Silence(b.T, "p2")
	b.wantErr(b.Commit(b.Context(), "p1", ended(run, task, store.OutcomeArchived, 0)), store.ErrLeaseLost)
	wantEqual(b, "after its closer died", interrupted(), "r1 ")
	b.must(b.FinishClose(b.Context(), "r1", "p2", store.RunInterrupted, sums))
	wantEqual(b, "when it is closed", interrupted(), "")
	b.wantErr(b.Commit(b.Context(), "p1", ended(run, task, store.OutcomeArchived, 0)), store.ErrLeaseLost)
}

func (b *ledgerTest) totals() {
	b.users(people(4)...)
	run := b.synced("r1", "p1", store.Selection{})
	tasks := b.claim(run, "p1", 3)
	first, second := tasks[0], tasks[1]
	_, err := b.Known(b.Context(), first.Subject, transactionA, "")
	b.must(err)
	archived := stored(ended(run, first, store.OutcomeArchived, time.Hour), transactionA)
	b.must(b.Commit(b.Context(), "p1", archived))
	b.finish(run, "p1", second, store.OutcomeFailed, time.Hour)
	b.must(b.Beat(b.Context(), "p1", store.RunCounts{Requests: map[string]int64{"list": 2, "image": 3}}))
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	b.must(b.Leave(b.Context(), "p2", store.RunCounts{Requests: map[string]int64{"list": 1}}))

	totals, err := b.Totals(b.Context(), run.ID)
	b.must(err)
	wantEqual(b, "run", totals.Run.ID, "r1")
	wantMap(b, "users", totals.Users, map[store.State]int64{store.StateArchived: 1, store.StateFailed: 1, store.StatePending: 2})
	wantEqual(b, "total", totals.UsersTotal, 4)
	wantMap(b, "outcomes", totals.Outcomes, map[store.Outcome]int64{store.OutcomeArchived: 1, store.OutcomeFailed: 1})
	wantMap(b, "failures", totals.Failures, map[store.Class]int64{store.ClassTimeout: 1})
	wantMap(b, "requests", totals.Requests, map[string]int64{"list": 3, "image": 3})
	wantEqual(b, "images", totals.Images, 1)
	wantEqual(b, "bytes", totals.Bytes, 300)
	wantEqual(b, "due left, one of them in work", totals.DueLeft, 2)
	wantEqual(b, "sync", totals.Sync, store.SyncResult{Users: 4, New: 4})
	if want := people(4)[3].VerifiedAt; !totals.OldestPendingAt.Equal(want) {
		b.Fatalf("oldest pending = %v, want %v", totals.OldestPendingAt, want)
	}

	entries := make(map[store.Subject]store.RunEntry)
	last := store.Subject("")
	for entry, err := range b.RunEntries(b.Context(), run.ID) {
		b.must(err)
		if entry.Subject <= last {
			b.Fatal("entries are not in the order of their subjects")
		}
		last = entry.Subject
		entries[entry.Subject] = entry
	}
	wantEqual(b, "entries", len(entries), 2)
	want := store.RunEntry{
		Subject: first.Subject, Outcome: store.OutcomeArchived, State: store.StateArchived, Transaction: transactionA,
		Record: *archived.Record, Images: archived.Images, Requests: 2,
	}
	if got := entries[first.Subject]; !reflect.DeepEqual(got, want) {
		b.Fatalf("entry = %+v, want %+v", got, want)
	}
	wantEqual(b, "class of the other", entries[second.Subject].Class, store.ClassTimeout)

	objects := ""
	for object, err := range b.RunObjects(b.Context(), run.ID) {
		b.must(err)
		objects += fmt.Sprintf("%s %s %s\n", object.Key, object.VersionID, object.SHA256)
	}
	wantEqual(b, "objects", objects, fmt.Sprintf("%s v1 %s\n%s v2 %s\n",
		archived.Images[0].Key, strings.Repeat("1", 64), archived.Record.Key, strings.Repeat("2", 64)))
}

func wantMap[K comparable](b *ledgerTest, what string, got, want map[K]int64) {
	b.Helper()
	if !maps.Equal(got, want) {
		b.Fatalf("%s = %v, want %v", what, got, want)
	}
}
