package postgres

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// archive reads which archive the ledger belongs to.
func (q *reportQuery) archive() {
	q.batch.Queue(`SELECT a.origin, a.tenancy_name, a.place, a.created_at FROM archive.archive AS a`).Query(func(rows pgx.Rows) error {
		var a store.ReportArchive
		_, err := pgx.ForEachRow(rows, []any{&a.Origin, &a.Tenancy, &a.Place, &a.CreatedAt}, func() error {
			a.CreatedAt = a.CreatedAt.UTC()
			q.report.Archive = &a
			return nil
		})
		return err
	})
}

// users counts where all users stand, and who waits for how long.
func (q *reportQuery) users() {
	users := &q.report.Users
	users.States = make(map[store.State]int64)
	users.LeftStates = make(map[store.State]int64)
	var known int64
	for _, state := range store.States {
		users.States[state], users.LeftStates[state] = 0, 0
	}
	var state store.State
	var all, left, unlisted int64
	q.each(`
		SELECT s.state, count(*), count(s.left_at), count(s.unlisted_at) FROM archive.subjects AS s GROUP BY s.state`,
		[]any{&state, &all, &left, &unlisted}, func() error {
			if _, there := users.States[state]; there {
				users.States[state], users.LeftStates[state] = all, left
				known += all
			}
			users.Left += left
			users.Unlisted += unlisted
			return nil
		})
	users.AcceptedStates = map[store.State]int64{store.StatePartial: 0, store.StateFailed: 0}
	q.each(`
		SELECT s.state, count(*), count(s.left_at) FROM archive.accepted AS a JOIN archive.subjects AS s ON s.subject = a.subject GROUP BY s.state`,
		[]any{&state, &all, &left}, func() error {
			users.Accepted += all - left
			users.AcceptedStates[state] = all - left
			return nil
		})
	var unclassed int64
	q.batch.Queue(`
		SELECT count(*), count(*) FILTER (WHERE s.state IN ('failed', 'partial')
			AND NOT EXISTS (SELECT 1 FROM archive.classes AS c WHERE c.class = s.last_class))
		FROM archive.subjects AS s`).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&users.Total, &unclassed)
		users.Unexplained = users.Total - known + unclassed
		return err
	})
	q.one(`
		SELECT count(*) FROM archive.subjects AS s
		WHERE s.left_at IS NULL AND s.user_id IS NOT NULL AND s.next_due_at <= now()`, &users.DueNow)
	q.each(`
		SELECT r.synced_at, r.sync_users, r.sync_left_held FROM archive.runs AS r
		WHERE r.synced_at IS NOT NULL ORDER BY r.synced_at DESC LIMIT 1`,
		[]any{&users.ReadAt, &users.ReadRows, &users.LeftHeld}, func() error { return nil })

	w := &q.report.Waiting
	q.one(`
		SELECT count(*) FILTER (WHERE p.age < interval '1 day'),
		       count(*) FILTER (WHERE p.age >= interval '1 day' AND p.age < interval '7 days'),
		       count(*) FILTER (WHERE p.age >= interval '7 days' AND p.age < interval '30 days'),
		       count(*) FILTER (WHERE p.age >= interval '30 days'),
		       min(p.since)
		FROM (SELECT coalesce(s.verified_at, s.first_seen_at) AS since, now() - coalesce(s.verified_at, s.first_seen_at) AS age
		      FROM archive.subjects AS s WHERE s.state = 'pending' AND s.left_at IS NULL) AS p`,
		&w.Day, &w.Week, &w.Month, &w.Longer, &w.OldestAt)
}

// failures counts users who are failed or partial now, by class.
func (q *reportQuery) failures() {
	q.standing = make(map[store.Class]store.FailureLine)
	var line store.FailureLine
	q.each(`SELECT f.class, sum(f.users)::bigint, min(f.oldest_at) FROM archive.failures AS f GROUP BY f.class`,
		[]any{&line.Class, &line.Users, &line.OldestAt}, func() error {
			q.standing[line.Class] = line
			return nil
		})
}

// verifications reads the checks that ended in the period.
func (q *reportQuery) verifications() {
	v := &q.report.Verifications
	v.Last = []store.ReportVerification{}
	q.one(`
		SELECT count(*), count(*) FILTER (WHERE v.damaged > 0) FROM archive.verifications AS v
		WHERE `+within(`v.ended_at`), &v.Total, &v.Damaged)
	var line store.ReportVerification
	// Only the names of what narrowed a check: its value may be a pseudonym.
	q.each(`
		SELECT v.started_at, v.ended_at, v.mode, ARRAY(SELECT k FROM jsonb_object_keys(v.scope) AS k ORDER BY k),
		       v.objects, v.records, v.damaged
		FROM archive.verifications AS v
		WHERE `+within(`v.ended_at`)+`
		ORDER BY v.ended_at DESC, v.verification_id DESC LIMIT @lines`,
		[]any{&line.StartedAt, &line.EndedAt, &line.Mode, &line.Scope, &line.Objects, &line.Records, &line.Damaged}, func() error {
			line.StartedAt, line.EndedAt = line.StartedAt.UTC(), line.EndedAt.UTC()
			v.Last = append(v.Last, line)
			line.Scope = nil // the next row has one of its own
			return nil
		})
}

// log counts the entries of the evidence log. Each record has one entry at most.
func (q *reportQuery) log() {
	log := &q.report.Log
	var logged int64
	q.batch.Queue(`
		SELECT count(*), count(*) FILTER (WHERE e.kind = 'record'), max(e.added_at),
		       (SELECT count(*) FROM archive.records),
		       (SELECT l.size FROM archive.log AS l), (SELECT l.sealed_at FROM archive.log AS l)
		FROM archive.log_entries AS e`).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&log.Entries, &logged, &log.LastAt, &log.Records, &log.Sealed, &log.SealedAt)
		log.Waiting = log.Records - logged
		return err
	})
}

// finish joins what several statements found, and makes all times UTC.
func (q *reportQuery) finish() {
	r := q.report
	r.Failures = []store.ReportFailure{}
	classes := slices.Clone(store.Classes[:])
	for _, class := range slices.Sorted(maps.Keys(q.standing)) {
		if _, known := class.Info(); !known {
			classes = append(classes, store.ClassInfo{Class: class, Meaning: "a class that this program does not know", Remedy: "use the version of the program that wrote it"})
		}
	}
	for _, info := range classes {
		standing := q.standing[info.Class]
		if q.attempts[info.Class] == 0 && standing.Users == 0 {
			continue
		}
		line := store.ReportFailure{
			Class: info.Class, Attempts: q.attempts[info.Class], Standing: standing.Users,
			Settled: info.Settled, Meaning: info.Meaning, Remedy: info.Remedy,
		}
		if standing.Users > 0 {
			line.OldestAt = &standing.OldestAt
		}
		r.Failures = append(r.Failures, line)
	}
	if q.scope.RunID != "" && len(r.Runs.Last) > 0 {
		r.Run = &r.Runs.Last[0]
	}
	times := []*time.Time{r.Users.ReadAt, r.Waiting.OldestAt, r.Quota.BusiestAt, r.Log.LastAt, r.Log.SealedAt}
	for _, failure := range r.Failures {
		times = append(times, failure.OldestAt)
	}
	for _, at := range times {
		if at != nil {
			*at = at.UTC()
		}
	}
}
