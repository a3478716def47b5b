package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"vlens-archiver/store"
)

func (b *ledgerTest) archive() {
	identity := store.ArchiveIdentity{LayoutVersion: 1, Origin: "a.example/log", TenancyName: "acme", KeyCheck: b.key.Check()}
	b.must(b.OpenArchive(b.Context(), identity))
	b.must(b.OpenArchive(b.Context(), identity))
	for field, other := range map[string]store.ArchiveIdentity{
		"layout":  {LayoutVersion: 2, Origin: "a.example/log", TenancyName: "acme", KeyCheck: b.key.Check()},
		"origin":  {LayoutVersion: 1, Origin: "b.example/log", TenancyName: "acme", KeyCheck: b.key.Check()},
		"tenancy": {LayoutVersion: 1, Origin: "a.example/log", TenancyName: "other", KeyCheck: b.key.Check()},
		"key":     {LayoutVersion: 1, Origin: "a.example/log", TenancyName: "acme", KeyCheck: "other"},
	} {
		err := b.OpenArchive(b.Context(), other)
		b.wantErr(err, store.ErrForeignArchive)
		if !strings.Contains(err.Error(), field) {
			b.Fatalf("%v does not name the %s", err, field)
		}
	}
}

func (b *ledgerTest) runs() {
	selection := store.Selection{UserIDs: []string{"b", "a", "b"}, Since: time.Time{}, PerMinute: 7}
	wanted := store.Run{ID: "r1", Kind: store.RunBackfill, Selection: selection, ToolVersion: "v1", ConfigSHA256: "c0ffee"}

	var group sync.WaitGroup
	var mu sync.Mutex
	var starts []time.Time
	for range 4 {
		group.Go(func() {
			run, err := b.OpenRun(b.Context(), wanted)
			if err != nil {
				b.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			starts = append(starts, run.StartedAt)
		})
	}
	group.Wait()
	if len(slices.CompactFunc(starts, time.Time.Equal)) != 1 {
		b.Fatalf("creators at once made several runs: %v", starts)
	}

	run, err := b.OpenRun(b.Context(), wanted)
	b.must(err)
	wantEqual(b, "status", run.Status, store.RunOpen)
	wantEqual(b, "users of the selection", run.Selection.Users, 2)
	wantEqual(b, "per minute", run.Selection.PerMinute, 7)

	same := wanted
	same.Selection.UserIDs = []string{"a", "b"}
	_, err = b.OpenRun(b.Context(), same)
	b.must(err)
	for name, change := range map[string]func(*store.Run){
		"kind":       func(r *store.Run) { r.Kind = store.RunManual },
		"other user": func(r *store.Run) { r.Selection.UserIDs = []string{"a", "c"} },
		"fewer":      func(r *store.Run) { r.Selection.UserIDs = []string{"a"} },
		"quota":      func(r *store.Run) { r.Selection.PerMinute = 5 },
		"force":      func(r *store.Run) { r.Selection.Force = true },
		"all":        func(r *store.Run) { r.Selection = store.Selection{} },
	} {
		other := wanted
		change(&other)
		if _, err := b.OpenRun(b.Context(), other); err == nil {
			b.Errorf("joined with another %s", name)
		} else {
			b.wantErr(err, store.ErrRunMismatch)
		}
	}
}

func (b *ledgerTest) claimOrder() {
	b.users(people(6)...)
	run := b.synced("r1", "p1", store.Selection{})
	first := b.claim(run, "p1", 2)
	b.wantIDs("newest first", first, "user-01", "user-02")
	wantEqual(b, "state", first[0].State, store.StatePending)
	if !first[0].VerifiedAt.Equal(day) || first[0].Subject != b.key.Subject("user-01") {
		b.Fatalf("task = %+v", first[0])
	}
	b.finish(run, "p1", first[1], store.OutcomeFailed, 0)
	b.finish(run, "p1", first[0], store.OutcomeFailed, 0)

	later := b.synced("r2", "p2", store.Selection{})
	tasks, err := b.Claim(b.Context(), later, "p2", store.LongestDue, 3)
	b.must(err)
	b.wantIDs("the longest due first, filled up", tasks, "user-02", "user-01", "user-03")
	wantEqual(b, "attempts", tasks[0].Attempts, 1)
	b.wantIDs("the rest", b.claim(later, "p2", 10), "user-04", "user-05", "user-06")
	b.wantIDs("nothing left", b.claim(later, "p2", 10))
}

// Each batch is claimed by a process that has just entered: others may have
// begun their claim before they could know of it.
func (b *ledgerTest) claimsAreDisjoint() {
	const users, workers, batch = 200, 4, 3
	b.users(people(users)...)
	run := b.synced("r1", "p0", store.Selection{})
	var mu sync.Mutex
	owner := make(map[string]string)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for n := 0; ; n++ {
				process := fmt.Sprintf("w%d-%d", worker, n)
				if err := b.Enter(b.Context(), process, "worker", run.ID); err != nil {
					b.Error(err)
					return
				}
				tasks, err := b.Claim(b.Context(), run, process, store.NewestFirst, batch)
				if err != nil {
					b.Error(err)
					return
				}
				// Others may have had a row locked just then, so that an empty
				// batch is the end only when nothing is due.
				if left, err := b.Remaining(b.Context(), run, process); len(tasks) == 0 && (err != nil || left.Due == 0) {
					return
				}
				mu.Lock()
				for _, task := range tasks {
					if other, taken := owner[task.UserID]; taken {
						b.Errorf("%s has both %s and %s", task.UserID, other, process)
					}
					owner[task.UserID] = process
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	wantEqual(b, "users claimed", len(owner), users)
}

func (b *ledgerTest) oneAttemptPerRun() {
	b.users(people(1)...)
	run := b.synced("r1", "p1", store.Selection{})
	b.finish(run, "p1", b.claim(run, "p1", 1)[0], store.OutcomeFailed, 0)
	b.wantIDs("due at once, but done in this run", b.claim(run, "p1", 1))
	other := b.synced("r2", "p2", store.Selection{})
	b.finish(other, "p2", b.claim(other, "p2", 1)[0], store.OutcomeFailed, 0)
	b.wantIDs("done in another run since", b.claim(run, "p1", 1))
}

func (b *ledgerTest) due() {
	users := people(4)
	b.users(users...)
	run := b.synced("r1", "p1", store.Selection{})
	tasks := b.claim(run, "p1", 4)
	b.finish(run, "p1", tasks[0], store.OutcomeArchived, 0)
	b.finish(run, "p1", tasks[1], store.OutcomeNotFound, time.Hour)
	b.finish(run, "p1", tasks[2], store.OutcomeFailed, store.Never)
	b.finish(run, "p1", tasks[3], store.OutcomeArchived, store.Never)

	next := b.synced("r2", "p2", store.Selection{})
	due := b.claim(next, "p2", 4)
	b.wantIDs("due by time", due, "user-01")
	wantEqual(b, "state", due[0].State, store.StateArchived)
	b.finish(next, "p2", due[0], store.OutcomeFailed, time.Hour)

	for n := range users {
		users[n].VerifiedAt = users[n].VerifiedAt.Add(time.Minute)
	}
	b.users(users...)
	last := b.synced("r3", "p3", store.Selection{})
	due = b.claim(last, "p3", 9)
	b.wantIDs("changed rows are due in every state", due, "user-01", "user-02", "user-03", "user-04")
	for n, state := range []store.State{store.StateArchived, store.StateNotFound, store.StateFailed, store.StateArchived} {
		wantEqual(b, "state of "+due[n].UserID, due[n].State, state)
		wantEqual(b, "attempts of "+due[n].UserID, due[n].Attempts, 0)
	}
}

// A row may change without calling for work.
func (b *ledgerTest) rowsWithoutNews() {
	users := people(6)
	for n := range users {
		users[n].VerifiedAt = time.Time{}
	}
	b.users(users...)
	run := b.synced("r1", "p1", store.Selection{})
	tasks := b.claim(run, "p1", 6)
	const named = "6f1c1f9e-0000-4000-8000-00000000000"
	for n, task := range tasks {
		folder := fmt.Sprint(named, n)
		if task.UserID == users[2].ID {
			folder = "t-0123456789abcdef"
		}
		_, err := b.Known(b.Context(), task.Subject, folder, "")
		b.must(err)
		result := stored(ended(run, task, store.OutcomeArchived, time.Hour), folder)
		if task.UserID == users[5].ID {
			result.Outcome, result.Class, result.Verification = store.OutcomePartial, store.ClassTimeout, store.StatePartial
		}
		b.must(b.Commit(b.Context(), "p1", result))
	}
	folder := func(user store.User) string {
		for n, task := range tasks {
			if task.UserID == user.ID {
				return fmt.Sprint(named, n)
			}
		}
		return ""
	}

	past := day
	users[0].VerifiedAt = past                                           // the query got verified_at
	users[1].TransactionID, users[1].VerifiedAt = folder(users[1]), past // and transaction_id
	users[2].TransactionID = "6f1c1f9e-0000-4000-8000-0000000000ff"      // Vlens names none
	users[3].TransactionID = "6f1c1f9e-0000-4000-8000-0000000000fe"      // another one
	users[5].TransactionID = folder(users[5])                            // the same, of which something is missing
	b.users(users...)
	b.begin("r2", "p2", store.Selection{})
	sync, err := b.syncAs("r2", "p2")
	b.must(err)
	wantEqual(b, "sync", sync, store.SyncResult{Users: 6, Changed: 2})
	due := b.claim(store.Run{ID: "r2"}, "p2", 9)
	got := ids(due)
	slices.Sort(got)
	if want := []string{users[3].ID, users[5].ID}; !slices.Equal(got, want) {
		b.Fatalf("due are %v, want %v", got, want)
	}
	for _, task := range due {
		b.finish(store.Run{ID: "r2"}, "p2", task, store.OutcomeFailed, time.Hour)
	}

	// What was only noted is in the row, and no news the next time.
	b.begin("r3", "p3", store.Selection{UserIDs: []string{users[1].ID}})
	sync, err = b.syncAs("r3", "p3")
	b.must(err)
	wantEqual(b, "the same rows again", sync, store.SyncResult{Users: 6})
	chosen := b.claim(store.Run{ID: "r3", Selection: store.Selection{Users: 1}}, "p3", 9)
	b.wantIDs("chosen", chosen, users[1].ID)
	wantEqual(b, "transaction", chosen[0].TransactionID, users[1].TransactionID)
	wantEqual(b, "verified at", chosen[0].VerifiedAt.Equal(past), true)
}

// Of a date, only the first one of before the user was archived is no news, and that
// it was taken away. A user is archived as of the time at which the attempt began.
func (b *ledgerTest) datesOfRows() {
	users := people(4)
	for n := range users {
		users[n].VerifiedAt = day.Add(-48 * time.Hour)
	}
	users[2].VerifiedAt, users[3].VerifiedAt = time.Time{}, time.Time{}
	b.users(users...)
	run := b.synced("r1", "p1", store.Selection{})
	for _, task := range b.claim(run, "p1", 4) { // they begin at day
		b.finish(run, "p1", task, store.OutcomeArchived, time.Hour)
	}
	users[0].VerifiedAt = day.Add(-24 * time.Hour) // a day, of which the hour is not known
	users[1].VerifiedAt = time.Time{}
	users[2].VerifiedAt = day.Add(time.Second) // after the listing
	users[3].VerifiedAt = day
	b.users(users...)
	next := b.synced("r2", "p2", store.Selection{})
	due := ids(b.claim(next, "p2", 9))
	slices.Sort(due)
	if want := []string{users[0].ID, users[2].ID}; !slices.Equal(due, want) {
		b.Fatalf("due are %v, want %v", due, want)
	}
}

// Where other rows name a transaction, the first of a user is a verification of its
// own, although Vlens names none.
func (b *ledgerTest) firstTransaction() {
	users := people(2)
	users[1].TransactionID = transactionB
	b.users(users...)
	run := b.synced("r1", "p1", store.Selection{})
	for _, task := range b.claim(run, "p1", 2) {
		folder := task.TransactionID
		if folder == "" {
			folder = "t-0123456789abcdef"
		}
		_, err := b.Known(b.Context(), task.Subject, folder, "")
		b.must(err)
		b.must(b.Commit(b.Context(), "p1", stored(ended(run, task, store.OutcomeArchived, time.Hour), folder)))
	}
	users[0].TransactionID = transactionA
	b.users(users...)
	b.wantIDs("who verified again", b.claim(b.synced("r2", "p2", store.Selection{}), "p2", 9), users[0].ID)
}

func (b *ledgerTest) changedWhileLeased() {
	users := people(1)
	b.users(users...)
	run := b.synced("r1", "p1", store.Selection{})
	task := b.claim(run, "p1", 1)[0]
	users[0].TransactionID = "6f1c1f9e-0000-4000-8000-000000000001"
	b.users(users...)
	next := b.synced("r2", "p2", store.Selection{})
	b.wantIDs("still leased", b.claim(next, "p2", 1))
	b.finish(run, "p1", task, store.OutcomeArchived, time.Hour)
	b.wantIDs("done in its own run", b.claim(run, "p1", 1))
	again := b.claim(next, "p2", 1)
	b.wantIDs("but due for the next", again, "user-01")
	wantEqual(b, "transaction", again[0].TransactionID, users[0].TransactionID)
}

func (b *ledgerTest) fencing() {
	b.users(people(1)...)
	run := b.synced("r1", "p1", store.Selection{})
	old := b.claim(run, "p1", 1)[0]
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	b.wantIDs("in the hands of a live process", b.claim(run, "p2", 1))
	b.Silence(b.T, "p1")
	tasks := b.claim(run, "p2", 1)
	b.wantIDs("taken over", tasks, "user-01")
	if tasks[0].LeaseToken == old.LeaseToken {
		b.Fatal("the token did not change with the owner")
	}
	b.wantErr(b.Commit(b.Context(), "p1", ended(run, old, store.OutcomeArchived, time.Hour)), store.ErrLeaseLost)
	forged := tasks[0]
	forged.LeaseToken++
	b.wantErr(b.Commit(b.Context(), "p2", ended(run, forged, store.OutcomeArchived, time.Hour)), store.ErrLeaseLost)
	totals, err := b.Totals(b.Context(), run.ID)
	b.must(err)
	wantEqual(b, "outcomes after refused commits", len(totals.Outcomes), 0)
	b.finish(run, "p2", tasks[0], store.OutcomeArchived, time.Hour)
	b.wantErr(b.Commit(b.Context(), "p1", ended(run, old, store.OutcomeFailed, time.Hour)), store.ErrLeaseLost)
}

func (b *ledgerTest) commitRepeated() {
	b.users(people(1)...)
	run := b.synced("r1", "p1", store.Selection{})
	task := b.claim(run, "p1", 1)[0]
	const transaction = "6f1c1f9e-0000-4000-8000-000000000001"
	_, err := b.Known(b.Context(), task.Subject, transaction, "")
	b.must(err)
	result := stored(ended(run, task, store.OutcomeArchived, time.Hour), transaction)
	for range 3 {
		b.must(b.Commit(b.Context(), "p1", result))
	}
	totals, err := b.Totals(b.Context(), run.ID)
	b.must(err)
	wantEqual(b, "archived", totals.Outcomes[store.OutcomeArchived], 1)
	wantEqual(b, "images", totals.Images, 1)
}

func (b *ledgerTest) lostProcess() {
	b.users(people(1)...)
	run := b.synced("r1", "p1", store.Selection{})
	b.must(b.Beat(b.Context(), "p1", store.RunCounts{}))
	b.Silence(b.T, "p1")
	b.wantErr(b.Beat(b.Context(), "p1", store.RunCounts{}), store.ErrProcessLost)
	_, err := b.Claim(b.Context(), run, "p1", store.NewestFirst, 1)
	b.wantErr(err, store.ErrProcessLost)
	_, err = b.Claim(b.Context(), run, "stranger", store.NewestFirst, 1)
	b.wantErr(err, store.ErrProcessLost)
	b.wantErr(b.Beat(b.Context(), "stranger", store.RunCounts{}), store.ErrProcessLost)
	b.must(b.Leave(b.Context(), "stranger", store.RunCounts{}))
}

func (b *ledgerTest) leavingFreesUsers() {
	b.users(people(1)...)
	run := b.synced("r1", "p1", store.Selection{})
	task := b.claim(run, "p1", 1)[0]
	b.must(b.Leave(b.Context(), "p1", store.RunCounts{}))
	b.must(b.Leave(b.Context(), "p1", store.RunCounts{}))
	b.wantErr(b.Beat(b.Context(), "p1", store.RunCounts{}), store.ErrProcessLost)
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	b.wantIDs("free at once", b.claim(run, "p2", 1), "user-01")
	b.wantErr(b.Commit(b.Context(), "p1", ended(run, task, store.OutcomeArchived, 0)), store.ErrLeaseLost)
}
