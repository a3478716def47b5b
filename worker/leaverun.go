package worker

import (
	"context"
	"fmt"
	"time"

	"vlens-archiver/store"
)

// failedTime bounds what is still written after a failure, which may well be the
// ledger's.
const failedTime = 20 * time.Second

// leave ends this process's part, frees the users it still holds, and reads how
// run and log stand. It does so also after a failure, which it passes on, and
// outlives the cancellation of the run. It takes the time that the ledger needs to
// read all users, unless the process is to stop.
func (w *Worker) leave(ctx context.Context, failure error) (totals store.RunTotals, log store.LogState, _ error) {
	ctx, cancel := endsAfter(context.WithoutCancel(ctx), w.stop, LeavingTime)
	defer cancel()
	bound := w.OutageBound
	if failure != nil {
		bound = min(bound, failedTime)
	}
	ctx, cancelBound := context.WithTimeout(ctx, bound)
	defer cancelBound()
	do := func(what string, op func() error) {
		if failure != nil {
			_ = op() // once: it may well be the ledger that failed
			return
		}
		if err := w.database.tryAtStop(ctx, op); err != nil {
			failure = fmt.Errorf("%s: %w", what, err)
		}
	}
	do(fmt.Sprintf("leave run %q", w.run.ID), func() error {
		return w.Ledger.Leave(ctx, w.process, w.counts())
	})
	do(fmt.Sprintf("read totals of run %q", w.run.ID), func() (err error) {
		totals, err = w.Ledger.Totals(ctx, w.run.ID)
		return err
	})
	do("read the state of the log", func() (err error) {
		log, err = w.Ledger.LogState(ctx)
		return err
	})
	return totals, log, failure
}

// notes tell people what the run met, and what to do.
func (w *Worker) notes(totals store.RunTotals) []string {
	var notes []string
	if images, _ := w.unnamed.inVain(); images {
		notes = append(notes, "Vlens refuses images without a transaction id and its listing tells none: add transaction_id to source.users_sql")
	}
	if totals.FoundNobody() {
		notes = append(notes, "Vlens has images of none of these users: check vlens.tenancy_name, the phones and emails that source.users_sql returns, "+
			"and whether it returns users who have verified")
	}
	return notes
}
