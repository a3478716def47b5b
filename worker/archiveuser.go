package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// attempt is the work on one user in one run. One goroutine owns it; the images
// of the user are fetched by others, which only read it.
type attempt struct {
	*Worker
	task     store.Task
	user     store.User
	started  time.Time
	requests atomic.Int64

	// What the steps find out, in this order.
	by          Identifier // how the vendor knows the user
	listed      store.Provenance
	references  []reference
	vendorID    string // transaction id for the vendor; "" when none is known
	transaction string // the folder: vendorID, or a stand-in
	known       store.Known
	folder      folder
}

// reference is what the listing gives for one kind.
type reference struct {
	kind          store.Kind
	fileName      store.Sensitive
	ref           store.Ref
	transactionID string // for fetching; "" when none is known
}

// ending is how an attempt ends.
type ending struct {
	outcome    store.Outcome
	class      store.Class
	images     []store.Image // new rows for the ledger
	record     *store.RecordRef
	newRecords []store.RecordRef   // rows for the ledger
	earlier    []store.StoredImage // images of such records of other transactions
	passing    bool                // it may end otherwise soon, whatever the class
	bytes      int64               // of images stored by this attempt
	failure    *vlens.Error        // the vendor's error behind the class, if there is one
	reason     string              // said in the log beside the class
}

func failed(class store.Class) ending {
	return ending{outcome: store.OutcomeFailed, class: class}
}

// archiveUser works on one claimed user and commits how it ended. It returns an
// error only for what must stop the whole run. A user who was cut short, or who
// meanwhile belongs to another process, gets no outcome and no error.
func (w *Worker) archiveUser(ctx context.Context, task store.Task, user store.User) (err error) {
	a := &attempt{Worker: w, task: task, user: user, started: time.Now()}
	ctx, span := startSpan(ctx, SpanUser)
	defer func() { endSpan(span, err) }()
	traced := vlens.WithTrace(ctx, func(info vlens.RequestInfo) {
		a.requests.Add(1)
		w.progress.request(info)
	})

	end, err := a.archive(traced)
	if errors.Is(err, store.ErrValueRefused) {
		end, err = a.refused(err), nil
	}
	if err == nil && a.endsAsBefore(end) {
		end.outcome = store.OutcomeUnchanged
	}
	switch cut := ctx.Err() != nil || errors.Is(err, errStopped); {
	case err != nil && cut:
		return nil
	case err != nil:
		return err
	}
	describeUser(span, task.Subject, end, int(a.requests.Load()))
	err = a.commit(ctx, end)
	if errors.Is(err, store.ErrValueRefused) {
		end = a.refused(err)
		err = a.commit(ctx, end)
	}
	if err != nil {
		if errors.Is(err, store.ErrLeaseLost) {
			w.Log.Warn("the user belongs to another process now; the result is dropped",
				"event", "lease_lost", "run_id", w.run.ID, "subject", task.Subject)
			return nil
		}
		return err
	}
	return a.breaker.watch(task, end)
}

// archive does the steps up to the ledger write. Each step is safe to repeat:
// whoever does this user again finds what is durable and does not pay for it
// twice.
func (a *attempt) archive(ctx context.Context) (ending, error) {
	// List. Nothing is durable yet.
	if end, done, err := a.list(ctx); done || err != nil {
		return end, err
	}

	// Ask the ledger what is stored, and reserve the transaction for this
	// subject. Images that are filed under another person's name cannot be
	// unfiled, so a transaction that is someone else's is not fetched.
	if err := a.readKnown(ctx); err != nil {
		return ending{}, err
	}
	if a.known.Owner != a.task.Subject {
		return failed(store.ClassSharedTransaction), nil
	}
	if a.refusedBefore() {
		return failed(store.ClassNoTransaction), nil
	}
	wanted := a.wanted()
	if len(wanted) == 0 && a.known.Record.Key != "" {
		end := a.judge(a.unwanted())
		end.outcome, end.record = store.OutcomeUnchanged, &a.known.Record
		return end, nil
	}

	// Look into the bucket for what an attempt that died has left there. S3
	// requests are cheap, the vendor's are not.
	if err := a.exploreFolder(ctx); err != nil {
		return a.failure(err)
	}
	wanted = a.wanted()

	// Fetch the rest. Each image is durable, and can be found again, once its
	// PUT has succeeded.
	results, err := a.fetchAll(ctx, wanted)
	if errors.Is(err, errNoTransaction) {
		return failed(store.ClassNoTransaction), nil
	}
	if err != nil {
		return a.failure(err)
	}

	// Write the record. Once it is there, the bucket alone tells what was
	// archived; it is written after its images so that it never names one that
	// is not there.
	return a.conclude(ctx, append(a.keepSettled(results), a.unwanted()...))
}

// list asks the vendor for the user's references by each identifier in turn: by
// the next one only after a definite "no such user". It reports done when that
// settles the user already.
func (a *attempt) list(ctx context.Context) (end ending, done bool, err error) {
	ctx, span := startSpan(ctx, spanList)
	defer func() { endSpan(span, err) }()
	if a.user.ID == "" {
		// The row went away since the sync. Whether the user left is for the next
		// sync to say.
		end := failed(store.ClassNoIdentifier)
		end.passing = true
		return end, true, nil
	}

	ids := identifiersOf(a.user, a.Identifiers, a.PhoneRegion)
	if len(ids) == 0 {
		end := failed(store.ClassNoIdentifier)
		end.reason = WhyUnusable(a.user, a.Identifiers, a.PhoneRegion)
		return end, true, nil
	}
	for _, id := range ids {
		if _, listing := a.unnamed.inVain(); listing && a.task.TransactionID == "" {
			return failed(store.ClassNoTransaction), true, nil
		}
		listing, err := askVendor(ctx, a.Worker, func() (vlens.Listing, error) {
			return a.Vendor.List(ctx, id.value.Reveal())
		})
		switch notFound := isFault(err, vlens.FaultNotFound); {
		case err == nil, notFound:
			a.permission.answered()
		case refusesListing(err):
			if denied := a.permission.denies(a.task.Subject, err); denied != nil {
				return end, true, denied
			}
		}
		if isFault(err, vlens.FaultNotFound) {
			continue
		}
		if err != nil {
			end, err := a.failure(err)
			if end.class.Settled() {
				end.class = store.ClassVendorError // what it means of an image is not said of a listing
			}
			return end, true, err
		}
		a.by = id.by
		a.read(listing)
		if len(a.references) == 0 {
			return ending{outcome: store.OutcomeNoImages}, true, nil
		}
		return ending{}, false, nil
	}
	return ending{outcome: store.OutcomeNotFound}, true, nil
}

// read takes the references out of a listing and settles the transaction: the
// listing's own, else the one of the user's row, else a stand-in made from the
// first reference. What stands under the stand-in already stays there when the row
// comes to name a transaction.
func (a *attempt) read(listing vlens.Listing) {
	a.listed = sourceOf(listing.Provenance)
	a.vendorID = cmp.Or(listing.TransactionID, a.task.TransactionID)
	if listing.TransactionID != "" {
		a.unnamed.named.Store(true)
	}
	for n, kind := range store.Kinds {
		there := listing.References[n]
		if there.FileName == "" {
			continue
		}
		a.references = append(a.references, reference{
			kind:          kind,
			fileName:      store.Sensitive(there.FileName),
			ref:           a.Key.Ref(there.FileName),
			transactionID: cmp.Or(there.TransactionID, a.vendorID),
		})
	}
	a.transaction = a.vendorID
	if listing.TransactionID != "" || len(a.references) == 0 {
		return
	}
	unnamed := a.Key.UnnamedTransaction(a.task.Subject, a.references[0].fileName.Reveal())
	if a.transaction == "" || a.task.HasImages && unnamed == a.task.NewestTransaction {
		a.transaction = unnamed
	}
}

// readKnown asks the ledger what it knows of the transaction, and reserves it for the
// subject if nobody has it.
func (a *attempt) readKnown(ctx context.Context) (err error) {
	a.known, err = ask(ctx, a.database, func() (store.Known, error) {
		return a.Ledger.Known(ctx, a.task.Subject, a.transaction, a.references[0].ref)
	})
	if err != nil {
		return fmt.Errorf("read what is stored: %w", err)
	}
	return nil
}

// isStored reports whether an image of the reference stands in the folder, as
// far as is known by now.
func (a *attempt) isStored(r reference) bool {
	return slices.ContainsFunc(a.stored(), func(i store.Image) bool { return i.Kind == r.kind && i.Ref == r.ref })
}

func (a *attempt) forced() bool { return a.run.Selection.Force }

// failure ends the user with the class of an error, or the run when the error
// concerns everybody.
func (a *attempt) failure(err error) (ending, error) {
	if stopsRun(err) {
		return ending{}, err
	}
	end := failed(classOf(err))
	end.failure, _ = errors.AsType[*vlens.Error](err)
	return end, nil
}

// stored are the images that stand in the transaction's folder: those that the
// ledger knows, then those found in the bucket.
func (a *attempt) stored() []store.Image {
	var images []store.Image
	for _, i := range a.known.Images {
		if i.Transaction == a.transaction {
			images = append(images, i.Image)
		}
	}
	return append(images, a.folder.images...)
}
