package postgres

import (
	"time"

	"vlens-archiver/store"
)

// work counts what the run, or the runs in the period, did.
func (q *reportQuery) work() {
	w := &q.report.Work
	w.Outcomes = everyOutcome()
	q.attempts = make(map[store.Class]int64)
	var outcome store.Outcome
	var class store.Class
	var attempts, requests int64
	q.each(`
		SELECT o.outcome, o.class, count(*), sum(o.requests)::bigint FROM archive.outcomes AS o
		WHERE `+q.ofScope(`o`, `ended_at`)+` GROUP BY o.outcome, o.class`,
		[]any{&outcome, &class, &attempts, &requests}, func() error {
			w.Outcomes[outcome] += attempts
			w.Attempts += attempts
			w.Requests += requests
			if outcome.Incomplete() {
				q.attempts[class] += attempts
			}
			return nil
		})
	if q.scope.RunID != "" { // the images of a period are counted in its course
		q.one(`
			SELECT count(*), coalesce(sum(i.bytes), 0)::bigint FROM archive.images AS i
			WHERE i.state = 'stored' AND i.run_id = @run`, &w.Images, &w.Bytes)
	}
}

func everyOutcome() map[store.Outcome]int64 {
	outcomes := make(map[store.Outcome]int64)
	for _, outcome := range store.Outcomes {
		outcomes[outcome] = 0
	}
	return outcomes
}

// runs counts the runs that began in the period and lists the last of them.
func (q *reportQuery) runs() {
	runs := &q.report.Runs
	runs.Last = []store.ReportRun{}
	q.one(`
		SELECT count(*), count(*) FILTER (WHERE r.status = 'open'), count(*) FILTER (WHERE r.status = 'closed'),
		       count(*) FILTER (WHERE r.status = 'interrupted'),
		       floor(coalesce(extract(epoch FROM sum(coalesce(r.ended_at, now()) - r.started_at)), 0))::bigint
		FROM archive.runs AS r WHERE `+q.ofScope(`r`, `started_at`),
		&runs.Total, &runs.Open, &runs.Closed, &runs.Interrupted, &q.report.Work.Seconds)
	var run store.ReportRun
	counts := make([]int64, len(store.Outcomes))
	into := []any{&run.ID, &run.Kind, &run.Status, &run.StartedAt, &run.EndedAt, &run.Attempts, &run.Images, &run.Bytes, &run.Requests}
	for n := range counts {
		into = append(into, &counts[n])
	}
	q.each(`
		SELECT r.run_id, r.kind, r.status, r.started_at, r.ended_at, r.users, r.images, r.bytes, r.requests,
		       r.archived, r.unchanged, r.partial, r.no_images, r.not_found, r.failed
		FROM archive.run_overview AS r
		WHERE `+q.ofScope(`r`, `started_at`)+`
		ORDER BY r.started_at DESC, r.run_id DESC LIMIT @lines`, into, func() error {
		run.StartedAt = run.StartedAt.UTC()
		if run.EndedAt != nil {
			ended := run.EndedAt.UTC()
			run.EndedAt = &ended
		}
		run.Outcomes = make(map[store.Outcome]int64)
		for n, outcome := range store.Outcomes {
			run.Outcomes[outcome] = counts[n]
		}
		runs.Last = append(runs.Last, run)
		return nil
	})
}

// quota counts the requests by hour, and by endpoint as the processes counted
// them.
func (q *reportQuery) quota() {
	quota := &q.report.Quota
	quota.Endpoints = make(map[string]int64)
	var endpoint string
	var requests int64
	q.each(`
		SELECT e.key, sum(e.value::bigint)::bigint
		FROM archive.processes AS p, jsonb_each_text(p.requests) AS e
		WHERE `+q.ofScope(`p`, `started_at`)+` GROUP BY e.key`,
		[]any{&endpoint, &requests}, func() error {
			quota.Endpoints[endpoint] = requests
			return nil
		})
	var hour int
	var busiest int64
	var busiestAt time.Time
	q.each(`
		WITH hours AS (
			SELECT date_trunc('hour', o.ended_at, 'UTC') AS at, sum(o.requests)::bigint AS requests
			FROM archive.outcomes AS o WHERE `+q.ofScope(`o`, `ended_at`)+` GROUP BY 1)
		SELECT extract(hour FROM h.at AT TIME ZONE 'UTC')::int, sum(h.requests)::bigint, max(h.requests),
		       (array_agg(h.at ORDER BY h.requests DESC, h.at))[1]
		FROM hours AS h GROUP BY 1 ORDER BY 1`,
		[]any{&hour, &requests, &busiest, &busiestAt}, func() error {
			quota.Hours[hour] = requests
			if busiest > quota.Busiest || busiest == quota.Busiest && quota.BusiestAt != nil && busiestAt.Before(*quota.BusiestAt) {
				at := busiestAt
				quota.Busiest, quota.BusiestAt = busiest, &at
			}
			return nil
		})
}

// course counts users, archived users and what is stored, step by step. A step
// has all that came before it.
func (q *reportQuery) course() {
	points := q.report.Points
	onwards := func(step int, add func(*store.ReportPoint)) {
		for n := max(step, 0); n < len(points); n++ {
			add(&points[n])
		}
	}
	var step int
	var n, bytes int64
	q.each(`
		SELECT `+stepOf(`s.first_seen_at`)+`, count(*) FROM archive.subjects AS s
		WHERE `+before(`s.first_seen_at`)+` GROUP BY 1`, []any{&step, &n}, func() error {
		onwards(step, func(p *store.ReportPoint) { p.Users += n })
		return nil
	})
	// Once archived, always archived: since the first outcome that says so. After
	// a rebuild from the bucket there may be no outcome, but a time.
	q.each(`
		SELECT `+stepOf(`a.at`)+`, count(*)
		FROM (SELECT coalesce(first.at, s.archived_at, s.first_seen_at) AS at
		      FROM archive.subjects AS s
		      LEFT JOIN (SELECT o.subject, min(o.ended_at) AS at FROM archive.outcomes AS o
		                 WHERE o.outcome IN ('archived', 'unchanged') GROUP BY o.subject) AS first ON first.subject = s.subject
		      WHERE s.state = 'archived') AS a
		WHERE `+before(`a.at`)+` GROUP BY 1`, []any{&step, &n}, func() error {
		onwards(step, func(p *store.ReportPoint) { p.Archived += n })
		return nil
	})
	q.each(`
		SELECT `+stepOf(`coalesce(i.fetched_at, @since::timestamptz - interval '1 second')`)+`, count(*), sum(i.bytes)::bigint FROM archive.images AS i
		WHERE i.state = 'stored' AND `+before(`coalesce(i.fetched_at, @since::timestamptz - interval '1 second')`)+` GROUP BY 1`, []any{&step, &n, &bytes}, func() error {
		onwards(step, func(p *store.ReportPoint) { p.Images += n; p.Bytes += bytes })
		q.report.Stored.Images += n
		q.report.Stored.Bytes += bytes
		if work := &q.report.Work; q.scope.RunID == "" && step >= 0 {
			work.Images += n
			work.Bytes += bytes
		}
		return nil
	})
	var requests int64
	q.each(`
		SELECT `+stepOf(`o.ended_at`)+`, count(*), sum(o.requests)::bigint FROM archive.outcomes AS o
		WHERE `+q.ofScope(`o`, `ended_at`)+` GROUP BY 1`, []any{&step, &n, &requests}, func() error {
		p := &points[max(step, 0)]
		p.Attempts += n
		p.Requests += requests
		return nil
	})
}
