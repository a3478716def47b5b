package storetest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
)

// Key is a subject key for tests.
func Key(t testing.TB) store.SubjectKey {
	t.Helper()
	key, err := store.ParseSubjectKey(store.Sensitive(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", store.MinSubjectKeyBytes)))))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ledgerTest is one part of the suite: a ledger, and the steps that parts are
// made of. Each step fails the test when it does not work.
type ledgerTest struct {
	LedgerBench
	*testing.T
	key store.SubjectKey
}

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// people are n users, the first verified last.
func people(n int) []store.User {
	users := make([]store.User, n)
	for i := range users {
		users[i] = store.User{ID: fmt.Sprintf("user-%02d", i+1), VerifiedAt: day.Add(-time.Duration(i) * time.Hour)}
	}
	return users
}

func (b *ledgerTest) users(users ...store.User) { b.Helper(); b.SetUsers(b.T, users...) }

// begin opens a run in which the process takes part.
func (b *ledgerTest) begin(id, process string, selection store.Selection) store.Run {
	b.Helper()
	run, err := b.OpenRun(b.Context(), store.Run{ID: id, Kind: store.RunManual, Selection: selection})
	b.must(err)
	b.must(b.Enter(b.Context(), process, "worker", id))
	return run
}

// synced is begin, and a sync.
func (b *ledgerTest) synced(id, process string, selection store.Selection) store.Run {
	b.Helper()
	run := b.begin(id, process, selection)
	_, err := b.syncAs(id, process)
	b.must(err)
	return run
}

func (b *ledgerTest) syncAs(runID, process string) (store.SyncResult, error) {
	return b.Sync(b.Context(), store.SyncRequest{RunID: runID, Process: process, Key: b.key})
}

func (b *ledgerTest) claim(run store.Run, process string, n int) []store.Task {
	b.Helper()
	tasks, err := b.Claim(b.Context(), run, process, store.NewestFirst, n)
	b.must(err)
	return tasks
}

// finish commits an outcome; the user is due again after the delay.
func (b *ledgerTest) finish(run store.Run, process string, task store.Task, outcome store.Outcome, due time.Duration) {
	b.Helper()
	b.must(b.Commit(b.Context(), process, ended(run, task, outcome, due)))
}

func ended(run store.Run, task store.Task, outcome store.Outcome, due time.Duration) store.Result {
	result := store.Result{Task: task, RunID: run.ID, Outcome: outcome, NextDue: due, Requests: 2, StartedAt: day}
	if outcome == store.OutcomeFailed || outcome == store.OutcomePartial {
		result.Class = store.ClassTimeout
	}
	return result
}

// stored adds an image and a record in the transaction to a result.
func stored(result store.Result, transaction string) store.Result {
	folder := "v/" + string(result.Subject) + "/" + transaction + "/"
	result.Transaction = transaction
	result.Images = []store.Image{{
		Kind: store.IDFront, State: store.ImageStored, Ref: store.Ref(strings.Repeat("a", 32)), Key: folder + "id_front.jpg", VersionID: "v1",
		ETag: "e1", Bytes: 300, MediaType: "image/jpeg", Width: 4, Height: 3, SHA256: strings.Repeat("1", 64),
		Flags: []store.Flag{store.FlagTruncated}, FetchedAt: day,
	}}
	result.Bytes = 300
	result.Record = &store.RecordRef{
		Transaction: transaction, Sequence: 1, Key: folder + "record.0001.json", VersionID: "v2",
		SHA256: strings.Repeat("2", 64), ArchivedAt: day,
	}
	result.NewRecords = []store.RecordRef{*result.Record}
	return result
}

func (b *ledgerTest) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *ledgerTest) wantErr(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("error = %v, want %v", err, want)
	}
}

func ids(tasks []store.Task) []string {
	var list []string
	for _, task := range tasks {
		list = append(list, task.UserID)
	}
	return list
}

func (b *ledgerTest) wantIDs(what string, tasks []store.Task, want ...string) {
	b.Helper()
	if got := ids(tasks); !slices.Equal(got, want) {
		b.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func wantEqual[V comparable](b *ledgerTest, what string, got, want V) {
	b.Helper()
	if got != want {
		b.Fatalf("%s = %+v, want %+v", what, got, want)
	}
}
