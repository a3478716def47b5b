package worker

import (
	"context"
	"fmt"
	"time"

	"vlens-archiver/store"
)

// commitTimeout is how long the ledger write for finished work may go on when the
// time for the user is over: the work is paid for.
const commitTimeout = 10 * time.Second

// refused is how a user ends of whom the ledger does not take or give something.
// It keeps nothing of what was found, which is in the bucket for the next attempt.
func (a *attempt) refused(err error) ending {
	a.Log.Error("the ledger refuses what was found about a user", "event", "user_refused",
		"run_id", a.run.ID, "subject", a.task.Subject, "error", err.Error())
	a.transaction = ""
	return failed(store.ClassInternal)
}

// commit writes everything about the attempt in one ledger transaction. Once it
// has succeeded the user is done in this run; if it does not, the next attempt
// finds images and record in the bucket and comes to the same end.
func (a *attempt) commit(ctx context.Context, end ending) (err error) {
	ctx, span := startSpan(ctx, spanCommit)
	defer func() { endSpan(span, err) }()
	ctx, cancel := endsAfter(context.WithoutCancel(ctx), ctx, commitTimeout)
	defer cancel()
	result := store.Result{
		Task:        a.task,
		RunID:       a.run.ID,
		Outcome:     end.outcome,
		Class:       end.class,
		Transaction: a.transaction,
		Images:      end.images,
		Record:      end.record,
		NewRecords:  end.newRecords,
		Earlier:     end.earlier,
		Requests:    int(a.requests.Load()),
		Bytes:       end.bytes,
		StartedAt:   a.started,

		Verification: a.verification(end),
		Passing:      end.passing,
	}
	result.NextDue = NextDue(result, a.RecheckAfter)
	err = a.database.tryAtStop(ctx, func() error {
		return a.Ledger.Commit(ctx, a.process, result)
	})
	if err != nil {
		return fmt.Errorf("commit outcome: %w", err)
	}
	a.recorded(len(end.newRecords))
	a.progress.user(end.outcome)
	log := a.Log.With(toAsk(end.failure)...)
	if end.reason != "" {
		log = log.With("reason", end.reason)
	}
	log.Info("user done", "event", "user_done", "run_id", a.run.ID, "subject", a.task.Subject,
		"outcome", end.outcome, "class", end.class, "requests", result.Requests, "bytes", end.bytes,
		"seconds", time.Since(a.started).Seconds())
	return nil
}
