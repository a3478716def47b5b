package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// foldHistories derives where each subject stands, into pg_temp.standing: what
// happened to it is gone through in the order of time, and each step is the one
// that a commit makes (store.Result.Standing). When a subject is due again is
// counted from when it was last done and not from now: after a rebuild nobody is
// due who was not due before.
func (r *Rebuild) foldHistories(ctx context.Context, nextDue func(store.Result) time.Duration) error {
	if _, err := r.tx.Exec(ctx, `
		CREATE TEMPORARY TABLE standing (
			subject text COLLATE "C" PRIMARY KEY, state text, class text, settled boolean, newest text COLLATE "C", transaction_id text COLLATE "C", run_id text COLLATE "C",
			first_at timestamptz, began_at timestamptz, last_at timestamptz, archived_at timestamptz, unlisted_at timestamptz,
			attempts integer, due_reason text, seconds double precision
		) ON COMMIT DROP;
		DECLARE happened NO SCROLL CURSOR FOR `+happenedSQL); err != nil {
		return err
	}
	f := fold{nextDue: nextDue}
	for {
		rows, err := r.tx.Query(ctx, fmt.Sprintf(`FETCH %d FROM happened`, subjectBatch))
		if err != nil {
			return err
		}
		events := 0
		var e event
		if _, err := pgx.ForEachRow(rows, []any{&e.subject, &e.outcome, &e.class, &e.state, &e.transaction, &e.passing, &e.runID, &e.began, &e.at}, func() error {
			events++
			f.add(e)
			return nil
		}); err != nil {
			return err
		}
		if events == 0 {
			f.finish()
		}
		if _, err := r.tx.CopyFrom(ctx, pgx.Identifier{"pg_temp", "standing"}, standingColumns, pgx.CopyFromRows(f.done)); err != nil {
			return err
		}
		f.done = f.done[:0]
		if events == 0 {
			return nil
		}
	}
}

// happenedSQL is what happened to each subject, in the order of time: the
// outcomes, and the records of runs whose files are missing. A "gone" that no
// record states was not yet believed.
const happenedSQL = `
SELECT h.subject, h.outcome, h.class, h.state, h.transaction_id,
       h.class = 'gone' AND NOT EXISTS (
           SELECT 1 FROM archive.images AS i
           WHERE i.subject = h.subject AND i.transaction_id = h.transaction_id AND i.state = 'gone' AND i.found_at <= h.at),
       h.run_id, h.began_at, h.at
FROM (
	SELECT o.subject, o.outcome, o.class, o.state, o.transaction_id, o.run_id, least(o.started_at, o.ended_at) AS began_at, o.ended_at AS at FROM archive.outcomes AS o
	UNION ALL
	SELECT f.subject, f.outcome, f.class, '', f.transaction_id, f.run_id, f.at, f.at FROM pg_temp.findings AS f
	WHERE NOT EXISTS (SELECT 1 FROM archive.outcomes AS o WHERE o.run_id = f.run_id AND o.subject = f.subject)
) AS h
ORDER BY h.subject, h.at, h.run_id`

var standingColumns = []string{
	"subject", "state", "class", "settled", "newest", "transaction_id", "run_id", "first_at", "began_at", "last_at", "archived_at", "unlisted_at", "attempts", "due_reason", "seconds",
}

// event is a row of happenedSQL.
type event struct {
	subject     store.Subject
	outcome     store.Outcome
	class       store.Class
	state       store.State // in which it left the user; "" when no file says it
	transaction string
	passing     bool
	runID       string
	began, at   time.Time // of the attempt: when it began and when it ended
}

// fold goes through the events of one subject after the other.
type fold struct {
	nextDue func(store.Result) time.Duration
	done    [][]any // rows of pg_temp.standing

	// Of the subject at hand, "" before the first:
	task                            store.Task
	last                            event
	firstAt, completeAt, unlistedAt time.Time
	due                             time.Duration
}

func (f *fold) add(e event) {
	if e.subject != f.task.Subject {
		f.finish()
		*f = fold{nextDue: f.nextDue, done: f.done, task: store.Task{Subject: e.subject, State: store.StatePending}, firstAt: e.at}
	}
	result := store.Result{Task: f.task, Outcome: e.outcome, Class: e.class, Transaction: e.transaction, Passing: e.passing, Verification: f.verification(e)}
	standing := result.Standing()
	f.due = f.nextDue(result)
	if standing.Complete {
		f.completeAt = e.began
	}
	switch {
	case !standing.Unlisted:
		f.unlistedAt = time.Time{}
	case !f.task.Unlisted:
		f.unlistedAt = e.at
	}
	f.task.State, f.task.LastClass, f.task.NewestTransaction, f.task.Unlisted = standing.State, standing.Class, standing.Newest, standing.Unlisted
	f.task.Settled, f.task.Attempts, f.task.DueReason = standing.Settled, standing.Attempts, standing.DueReason
	f.task.HasImages = f.task.HasImages || standing.State == store.StateArchived || standing.State == store.StatePartial
	f.last = e
}

// verification is where the listed verification stood then; "" when no listing is
// known to have been answered. A folder of which nothing is stored and which the
// vendor gave no id is in no file: that there was one is told by the state alone.
func (f *fold) verification(e event) store.State {
	switch {
	case e.outcome == store.OutcomeNoImages || e.outcome == store.OutcomeNotFound:
		return ""
	case e.transaction == "" && (!e.state.Failing() || e.state == f.task.State || f.task.State == store.StatePending):
		return ""
	case e.state == "" && f.task.State == store.StateArchived && e.transaction == f.task.NewestTransaction:
		return store.StateArchived // at most it was fetched again in vain
	case e.state == "" && e.outcome == store.OutcomeFailed:
		return store.StateFailed
	}
	return e.state
}

// finish keeps where the subject at hand stands.
func (f *fold) finish() {
	if f.task.Subject == "" {
		return
	}
	var seconds *float64 // NULL is never
	if f.due >= 0 {
		s := f.due.Seconds()
		seconds = &s
	}
	f.done = append(f.done, []any{
		string(f.task.Subject), string(f.task.State), string(f.task.LastClass), f.task.Settled, f.task.NewestTransaction, f.last.transaction, f.last.runID,
		f.firstAt, f.last.began, f.last.at, orNull(f.completeAt), orNull(f.unlistedAt), f.task.Attempts, string(f.task.DueReason), seconds,
	})
	f.task = store.Task{}
}
