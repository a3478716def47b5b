package storetest

import (
	"fmt"
	"strings"
	"time"

	"vlens-archiver/store"
)

func (b *ledgerTest) sync() {
	users := people(3)
	b.users(users...)
	b.begin("r1", "p1", store.Selection{})
	first, err := b.syncAs("r1", "p1")
	b.must(err)
	wantEqual(b, "first sync", first, store.SyncResult{Users: 3, New: 3})

	b.users(people(1)...)
	b.must(b.Enter(b.Context(), "p2", "worker", "r1"))
	again, err := b.syncAs("r1", "p2")
	b.must(err)
	wantEqual(b, "the run's sync for who joins", again, first)

	b.begin("r2", "p3", store.Selection{})
	shrunk, err := b.syncAs("r2", "p3")
	b.must(err)
	wantEqual(b, "two left", shrunk, store.SyncResult{Users: 1, Left: 2})
	b.wantIDs("who left is not due", b.claim(store.Run{ID: "r2"}, "p3", 9), "user-01")

	users[0].VerifiedAt = users[0].VerifiedAt.Add(time.Second)
	b.users(users...)
	b.begin("r3", "p4", store.Selection{})
	grown, err := b.syncAs("r3", "p4")
	b.must(err)
	wantEqual(b, "two returned", grown, store.SyncResult{Users: 3, Changed: 1, Returned: 2})
	b.wantIDs("who returned is due", b.claim(store.Run{ID: "r3"}, "p4", 9), "user-02", "user-03")

	b.must(b.Leave(b.Context(), "p4", store.RunCounts{}))
	b.begin("r4", "p5", store.Selection{})
	b.Silence(b.T, "p5")
	_, err = b.syncAs("r4", "p5")
	b.wantErr(err, store.ErrProcessLost)
}

func (b *ledgerTest) syncGuard() {
	b.users(people(50)...)
	b.synced("r1", "p1", store.Selection{})
	b.users(people(29)...)
	b.begin("r2", "p2", store.Selection{})
	held, err := b.syncAs("r2", "p2")
	b.must(err)
	wantEqual(b, "21 of 50 missing", held, store.SyncResult{Users: 29, LeftHeld: 21})

	b.begin("r3", "p3", store.Selection{})
	accepted, err := b.Sync(b.Context(), store.SyncRequest{RunID: "r3", Process: "p3", Key: b.key, AcceptLeft: true})
	b.must(err)
	wantEqual(b, "accepted", accepted, store.SyncResult{Users: 29, Left: 21})

	b.users(people(9)...)
	b.begin("r4", "p4", store.Selection{})
	few, err := b.syncAs("r4", "p4")
	b.must(err)
	wantEqual(b, "20 of 29 missing", few, store.SyncResult{Users: 9, Left: 20})
}

func (b *ledgerTest) selectionByID() {
	users := people(4)
	b.users(users...)
	first := b.synced("r1", "p1", store.Selection{})
	for _, task := range b.claim(first, "p1", 9) {
		b.finish(first, "p1", task, store.OutcomeArchived, time.Hour)
	}
	chosen := store.Selection{UserIDs: []string{"user-03", "user-02", "user-03"}}
	run := b.synced("r2", "p2", chosen)
	tasks := b.claim(run, "p2", 1)
	b.wantIDs("newest of the selection", tasks, "user-02")
	b.finish(run, "p2", tasks[0], store.OutcomeUnchanged, 0)
	tasks = b.claim(run, "p2", 9)
	b.wantIDs("each once", tasks, "user-03")
	b.finish(run, "p2", tasks[0], store.OutcomeUnchanged, 0)
	b.wantIDs("none is left", b.claim(run, "p2", 9))

	b.users(users[:3]...)
	all := b.synced("r3", "p3", store.Selection{UserIDs: []string{"user-03", "user-04"}})
	b.wantIDs("not due, and one has left", b.claim(all, "p3", 9), "user-03", "user-04")

	b.begin("r4", "p4", store.Selection{UserIDs: []string{"user-01", "01001234567", "user-02", "nobody"}})
	_, err := b.syncAs("r4", "p4")
	b.wantErr(err, store.ErrSelection)
	if text := err.Error(); !strings.Contains(text, "2, 4") || strings.Contains(text, "nobody") || strings.Contains(text, "0100") {
		b.Fatalf("the error must tell positions and no ids: %v", err)
	}
}

func (b *ledgerTest) selectionByFilter() {
	users := people(6)
	b.users(users...)
	first := b.synced("r1", "p1", store.Selection{})
	tasks := b.claim(first, "p1", 9)
	for n, outcome := range []store.Outcome{
		store.OutcomeArchived, store.OutcomeFailed, store.OutcomePartial, store.OutcomeFailed, store.OutcomeNotFound, store.OutcomeFailed,
	} {
		result := ended(first, tasks[n], outcome, store.Never)
		if n == 3 {
			result.Class = store.ClassGone
		}
		b.must(b.Commit(b.Context(), "p1", result))
	}
	b.users(users[:5]...) // user-06 leaves
	for n, c := range []struct {
		name      string
		selection store.Selection
		want      []string
	}{
		{"failed", store.Selection{Failed: true}, []string{"user-02", "user-03", "user-04"}},
		{"of a class", store.Selection{Failed: true, FailedClass: store.ClassGone}, []string{"user-04"}},
		{"since", store.Selection{Since: users[1].VerifiedAt}, []string{"user-01", "user-02"}},
		{"until", store.Selection{Until: users[3].VerifiedAt}, []string{"user-05"}},
		{"between", store.Selection{Since: users[2].VerifiedAt, Until: users[1].VerifiedAt}, []string{"user-03"}},
		{"all, by force", store.Selection{Force: true}, []string{"user-01", "user-02", "user-03", "user-04", "user-05"}},
	} {
		process := fmt.Sprintf("q%d", n)
		run := b.synced(fmt.Sprintf("b%d", n), process, c.selection)
		b.wantIDs(c.name, b.claim(run, process, 9), c.want...)
		b.must(b.Leave(b.Context(), process, store.RunCounts{}))
	}
}
