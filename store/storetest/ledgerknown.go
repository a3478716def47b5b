package storetest

import (
	"reflect"
	"time"

	"vlens-archiver/store"
)

const (
	transactionA = "6f1c1f9e-0000-4000-8000-00000000000a"
	transactionB = "6f1c1f9e-0000-4000-8000-00000000000b"
	unnamed      = "t-0123456789abcdef"
)

func (b *ledgerTest) known() {
	b.users(people(2)...)
	run := b.synced("r1", "p1", store.Selection{})
	tasks := b.claim(run, "p1", 2)
	subject := tasks[0].Subject

	known, err := b.Known(b.Context(), subject, transactionA, "")
	b.must(err)
	wantEqual(b, "owner", known.Owner, subject)
	if len(known.Images) > 0 || known.Record != (store.RecordRef{}) {
		b.Fatalf("known of a new subject: %+v", known)
	}

	result := stored(ended(run, tasks[0], store.OutcomePartial, 0), transactionA)
	result.Images = append(result.Images, store.Image{Kind: store.IDBack, State: store.ImageFailed, Class: store.ClassTimeout, Ref: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"})
	b.must(b.Commit(b.Context(), "p1", result))
	known, err = b.Known(b.Context(), subject, transactionA, "")
	b.must(err)
	want := []store.StoredImage{{Transaction: transactionA, Image: result.Images[0]}}
	if !reflect.DeepEqual(known.Images, want) {
		b.Fatalf("images = %+v, want %+v", known.Images, want)
	}
	wantEqual(b, "record", known.Record, *result.Record)

	// The next record of the transaction, and a folder without a name.
	next := b.synced("r2", "p2", store.Selection{})
	again := b.claim(next, "p2", 1)[0]
	second := ended(next, again, store.OutcomeUnchanged, 0)
	second.Transaction = transactionA
	second.Record = &store.RecordRef{Transaction: transactionA, Sequence: 3, Key: result.Record.Key + "3", SHA256: result.Record.SHA256, ArchivedAt: day.Add(time.Hour)}
	// A record between the two was left by an attempt that died.
	between := store.RecordRef{Transaction: transactionA, Sequence: 2, Key: result.Record.Key + "2", SHA256: result.Record.SHA256, ArchivedAt: day.Add(time.Minute)}
	second.NewRecords = []store.RecordRef{between, *second.Record}
	b.must(b.Commit(b.Context(), "p2", second))
	third := b.synced("r3", "p3", store.Selection{})
	b.must(b.Commit(b.Context(), "p3", stored(ended(third, b.claim(third, "p3", 1)[0], store.OutcomeArchived, 0), unnamed)))

	known, err = b.Known(b.Context(), subject, transactionA, "")
	b.must(err)
	wantEqual(b, "newest record", known.Record, *second.Record)
	wantEqual(b, "images of all transactions", len(known.Images), 2)
	for _, transaction := range []string{"", unnamed, transactionB} {
		known, err = b.Known(b.Context(), subject, transaction, "")
		b.must(err)
		wantEqual(b, "images", len(known.Images), 2)
		wantEqual(b, "owner", known.Owner, subject)
	}
}

func (b *ledgerTest) transactions() {
	b.users(people(3)...)
	run := b.synced("r1", "p1", store.Selection{})
	b.must(b.Enter(b.Context(), "p2", "worker", run.ID))
	a, c := b.claim(run, "p1", 1)[0], b.claim(run, "p2", 1)[0]
	owner := func(subject store.Subject, transaction string) store.Subject {
		b.Helper()
		known, err := b.Known(b.Context(), subject, transaction, "")
		b.must(err)
		return known.Owner
	}

	wantEqual(b, "the first to ask", owner(a.Subject, transactionA), a.Subject)
	wantEqual(b, "the second, while the first is at work", owner(c.Subject, transactionA), a.Subject)
	wantEqual(b, "an unnamed folder is everybody's own", owner(c.Subject, unnamed), c.Subject)
	b.finish(run, "p1", a, store.OutcomeFailed, 0)
	wantEqual(b, "the second, when the first stored nothing", owner(c.Subject, transactionA), c.Subject)
	wantEqual(b, "the first, while the second is at work", owner(a.Subject, transactionA), c.Subject)
	shared := ended(run, c, store.OutcomeFailed, 0)
	shared.Class, shared.Transaction = store.ClassSharedTransaction, transactionA
	b.must(b.Commit(b.Context(), "p2", shared))
	wantEqual(b, "the first again", owner(a.Subject, transactionA), a.Subject)

	next := b.synced("r2", "p3", store.Selection{})
	task := b.claim(next, "p3", 1)[0]
	wantEqual(b, "task", task.Subject, a.Subject)
	b.must(b.Commit(b.Context(), "p3", stored(ended(next, task, store.OutcomeArchived, store.Never), transactionA)))
	wantEqual(b, "what is stored stays", owner(c.Subject, transactionA), a.Subject)

	// A dead process does not keep what it only reserved.
	dead := b.claim(next, "p3", 1)[0]
	wantEqual(b, "reserved", owner(dead.Subject, transactionB), dead.Subject)
	b.Silence(b.T, "p3")
	wantEqual(b, "taken from the dead", owner(a.Subject, transactionB), a.Subject)
}
