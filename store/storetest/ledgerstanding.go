package storetest

import (
	"fmt"
	"time"

	"vlens-archiver/store"
)

// standing follows one user through attempts, each in a run of its own: what the
// next claim tells, and as whom the archive counts the user.
func (b *ledgerTest) standing() {
	b.users(people(1)...)
	const first, second = transactionA, transactionB
	for n, step := range []struct {
		name   string
		change func(*store.Result)
		want   store.Task
	}{
		{"some are missing", func(r *store.Result) {
			*r = stored(*r, first)
			r.Outcome, r.Class, r.Verification = store.OutcomePartial, store.ClassTooLarge, store.StatePartial
		}, store.Task{State: store.StatePartial, LastClass: store.ClassTooLarge, Settled: true, Attempts: 1, DueReason: store.DueRetry, NewestTransaction: first}},
		{"settled before", func(r *store.Result) {
			r.Outcome, r.Class, r.Transaction, r.Verification = store.OutcomeUnchanged, store.ClassTooLarge, first, store.StatePartial
		}, store.Task{State: store.StatePartial, LastClass: store.ClassTooLarge, Settled: true, Attempts: 2, DueReason: store.DueRetry, NewestTransaction: first}},
		{"settled, then not answered", func(r *store.Result) {
			r.Outcome, r.Class = store.OutcomeFailed, store.ClassTimeout
		}, store.Task{State: store.StatePartial, LastClass: store.ClassTooLarge, Settled: true, Attempts: 3, DueReason: store.DueRetry, NewestTransaction: first}},
		{"complete", func(r *store.Result) {
			r.Outcome, r.Transaction, r.Verification = store.OutcomeArchived, first, store.StateArchived
		}, store.Task{State: store.StateArchived, DueReason: store.DueRecheck, NewestTransaction: first}},
		{"not answered", func(r *store.Result) {
			r.Outcome, r.Class = store.OutcomeFailed, store.ClassNetwork
		}, store.Task{State: store.StateArchived, LastClass: store.ClassNetwork, Attempts: 1, DueReason: store.DueRetry, NewestTransaction: first}},
		{"no longer listed", func(r *store.Result) {
			r.Outcome = store.OutcomeNoImages
		}, store.Task{State: store.StateArchived, Settled: true, Attempts: 1, DueReason: store.DueRetry, NewestTransaction: first, Unlisted: true}},
		{"verified again in vain", func(r *store.Result) {
			r.Outcome, r.Class, r.Transaction, r.Verification = store.OutcomeFailed, store.ClassTimeout, second, store.StateFailed
		}, store.Task{State: store.StateFailed, LastClass: store.ClassTimeout, Attempts: 2, DueReason: store.DueRetry, NewestTransaction: second}},
		{"not known any more", func(r *store.Result) {
			r.Outcome = store.OutcomeNotFound
		}, store.Task{State: store.StateFailed, LastClass: store.ClassTimeout, Settled: true, Attempts: 1, DueReason: store.DueRetry, NewestTransaction: second, Unlisted: true}},
	} {
		id, process := fmt.Sprintf("r%d", n), fmt.Sprintf("p%d", n)
		run := b.synced(id, process, store.Selection{})
		task := b.claim(run, process, 1)[0]
		result := ended(run, task, store.OutcomeFailed, 0)
		result.Class = ""
		step.change(&result)
		_, err := b.Known(b.Context(), task.Subject, result.Transaction, "")
		b.must(err)
		b.must(b.Commit(b.Context(), process, result))

		totals, err := b.Totals(b.Context(), id)
		b.must(err)
		wantEqual(b, step.name+": users in the state", totals.Users[step.want.State], 1)
		wantEqual(b, step.name+": users no longer listed", totals.UsersUnlisted == 1, step.want.Unlisted)
		var failures int64
		for _, users := range totals.Failures {
			failures += users
		}
		wantEqual(b, step.name+": failures of the run", failures == 1, result.Outcome.Incomplete())

		next := b.synced(id+"-next", process+"-next", store.Selection{})
		got := b.claim(next, process+"-next", 1)[0]
		want := step.want
		want.UserID, want.Subject, want.HasImages, want.VerifiedAt, want.LeaseToken = got.UserID, got.Subject, true, got.VerifiedAt, got.LeaseToken
		wantEqual(b, step.name+": task", got, want)
		b.must(b.Leave(b.Context(), process+"-next", store.RunCounts{}))
	}
}

// findings are what attempts could not store, with their age by the ledger's clock.
func (b *ledgerTest) findings() {
	b.users(people(1)...)
	run := b.synced("r1", "p1", store.Selection{})
	task := b.claim(run, "p1", 1)[0]
	_, err := b.Known(b.Context(), task.Subject, transactionA, "")
	b.must(err)
	result := stored(ended(run, task, store.OutcomePartial, time.Hour), transactionA)
	result.Verification = store.StatePartial
	ref := store.Ref("0123456789abcdef0123456789abcdef")
	result.Images = append(result.Images,
		store.Image{Kind: store.IDBack, State: store.ImageFailed, Class: store.ClassGone, Ref: ref},
		store.Image{Kind: store.Liveness, State: store.ImageRejected, Class: store.ClassTooLarge, Ref: ref},
		store.Image{Kind: store.Face1, State: store.ImageAbsent})
	b.must(b.Commit(b.Context(), "p1", result))

	known, err := b.Known(b.Context(), task.Subject, transactionA, "")
	b.must(err)
	wantEqual(b, "findings", len(known.Findings), 2)
	for n, want := range result.Images[1:3] {
		got := known.Findings[n]
		if got.Kind != want.Kind || got.State != want.State || got.Class != want.Class || got.Ref != ref {
			b.Fatalf("finding = %+v, want %+v", got, want)
		}
		if got.Age < 0 || got.Age > time.Hour {
			b.Fatalf("finding is %s old", got.Age)
		}
	}
	other, err := b.Known(b.Context(), task.Subject, transactionB, "")
	b.must(err)
	wantEqual(b, "findings of another transaction", len(other.Findings), 0)
}
