package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

const (
	reportDays  = 30 // of a period whose begin is not given, today included
	reportLines = 12 // runs and verifications listed
	// reportPoints is about how many steps a report's time is cut into: enough to
	// see a course, few enough to print.
	reportPoints = 62
)

// reportSteps are the lengths of a step, so that people know what they look at.
var reportSteps = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// Report counts what the ledger says about a run or a period, all of it of one
// moment. A run that is not there is store.ErrNotFound.
func (l *Ledger) Report(ctx context.Context, scope store.ReportScope) (store.Report, error) {
	var report store.Report
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `
			SELECT now(), (SELECT coalesce(max(g.version_id), 0) FROM archive.goose_db_version AS g WHERE g.is_applied)`).
			Scan(&report.MadeAt, &report.SchemaVersion); err != nil {
			return err
		}
		report.MadeAt = report.MadeAt.UTC()
		q := reportQuery{report: &report, scope: scope}
		if err := q.bound(ctx, tx); err != nil {
			return err
		}
		q.batch.Queue(jitOffSQL)
		q.batch.Queue(`SELECT set_config('work_mem', '64MB', true)`) // a million users are grouped without a temporary file
		q.archive()
		q.users()
		q.failures()
		q.work()
		q.runs()
		q.quota()
		q.course()
		q.verifications()
		q.log()
		if err := tx.SendBatch(ctx, &q.batch).Close(); err != nil {
			return err
		}
		q.finish()
		return nil
	})
	return report, l.failed("count for a report", err)
}

// reportQuery gathers the statements of one report. Named arguments: run, the
// id; since, until, the period, until being NULL when it is not bounded; step,
// seconds; last, the index of the last point; lines, how many are listed.
type reportQuery struct {
	report *store.Report
	scope  store.ReportScope
	batch  pgx.Batch
	args   pgx.NamedArgs

	attempts map[store.Class]int64 // of the run or the period
	standing map[store.Class]store.FailureLine
}

// bound sets the time that the report is about and cuts it into points.
func (q *reportQuery) bound(ctx context.Context, tx pgx.Tx) error {
	r := q.report
	r.Since, r.Until = q.scope.Since.UTC(), q.scope.Until.UTC()
	if q.scope.RunID != "" {
		run, err := readRun(ctx, tx, q.scope.RunID)
		if noRow(err) {
			return store.ErrNotFound
		}
		if err != nil {
			return err
		}
		r.Since, r.Until = run.StartedAt.UTC(), run.EndedAt
	}
	if r.Since.IsZero() {
		end := r.MadeAt
		if !r.Until.IsZero() {
			end = r.Until.Add(-time.Nanosecond)
		}
		r.Since = end.Truncate(24*time.Hour).AddDate(0, 0, 1-reportDays)
	}
	var until *time.Time
	if r.Until.IsZero() {
		r.Until = r.MadeAt
	} else {
		until = &r.Until
	}
	length := max(r.Until.Sub(r.Since), 0)
	step := reportSteps[0]
	for _, step = range reportSteps {
		if length <= reportPoints*step {
			break
		}
	}
	r.StepSeconds = int64(step.Seconds())
	r.Points = make([]store.ReportPoint, max(1, (length+step-1)/step))
	for n := range r.Points {
		r.Points[n].From = r.Since.Add(time.Duration(n) * step)
	}
	q.args = pgx.NamedArgs{
		"run": q.scope.RunID, "since": r.Since, "until": until,
		"step": step.Seconds(), "last": len(r.Points) - 1, "lines": reportLines,
	}
	return nil
}

// within is the condition that a time lies in the period.
func within(column string) string { return column + ` >= @since AND ` + before(column) }

// before is the condition that a time lies before the end of the period.
func before(column string) string {
	return `(@until::timestamptz IS NULL OR ` + column + ` < @until::timestamptz)`
}

// stepOf is the point that a time belongs to; -1 is before the first. What the
// clock of a worker dates a moment too late belongs to the last.
func stepOf(column string) string {
	return `least(greatest(floor(date_part('epoch', ` + column + ` - @since::timestamptz) / @step::float8), -1), @last)::int`
}

// ofScope is the condition that a row with run_id and this time belongs to the
// run or the period.
func (q *reportQuery) ofScope(table, column string) string {
	if q.scope.RunID != "" {
		return table + `.run_id = @run`
	}
	return within(table + `.` + column)
}

func (q *reportQuery) one(sql string, into ...any) {
	q.batch.Queue(sql, q.args).QueryRow(func(row pgx.Row) error { return row.Scan(into...) })
}

func (q *reportQuery) each(sql string, into []any, row func() error) {
	q.batch.Queue(sql, q.args).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, into, row)
		return err
	})
}
