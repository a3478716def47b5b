package postgres_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"vlens-archiver/store"
)

// fill makes n users in the source.
func (s *services) fill(b *testing.B, n int) {
	b.Helper()
	s.exec(b, `INSERT INTO app.users (id, email, phone, transaction_id, verified_at)
		SELECT gen_random_uuid()::text, 'user' || g || '@mail.example', '+2010' || g, gen_random_uuid()::text, timestamptz '2020-01-01' + g * interval '1 minute'
		FROM generate_series(1, $1) AS g`, n)
	s.exec(b, `VACUUM ANALYZE app.users`)
}

// copyOut is the yardstick: the same rows by COPY to nowhere.
func (s *services) copyOut(b *testing.B) time.Duration {
	b.Helper()
	conn, err := s.sql.Acquire(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Release()
	start := time.Now()
	if _, err := conn.Conn().PgConn().CopyTo(b.Context(), io.Discard, `COPY (SELECT id, transaction_id, verified_at FROM app.users) TO STDOUT`); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkSync compares a pass over the user query with COPY of the same rows:
// the first, in which every user is new, and a later one without a change.
func BenchmarkSync(b *testing.B) {
	for _, users := range []int{200_000, 1_000_000} {
		b.Run(fmt.Sprint(users), func(b *testing.B) {
			s := newServices(b)
			s.fill(b, users)
			start := time.Now()
			s.mustSync(b, "first")
			first := time.Since(start)
			runs := 0
			for b.Loop() {
				runs++
				s.mustSync(b, fmt.Sprintf("r%d", runs))
			}
			b.StopTimer()
			b.ReportMetric(first.Seconds()/s.copyOut(b).Seconds(), "first/copy")
			later := b.Elapsed() / time.Duration(runs)
			b.ReportMetric(later.Seconds()/min(s.copyOut(b), s.copyOut(b)).Seconds(), "later/copy")
		})
	}
}

// BenchmarkClaim leases batches of 32 among a million users: all due, none due,
// half of them done in this run, and chosen by a backfill, half of them done.
func BenchmarkClaim(b *testing.B) {
	const users, batch = 1_000_000, 32
	s := newServices(b)
	s.fill(b, users)
	s.mustSync(b, "first")
	run := func(b *testing.B, run store.Run, order store.ClaimOrder) {
		b.Helper()
		for b.Loop() {
			if _, err := s.ledger.Claim(b.Context(), run, "p-"+run.ID, order, batch); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			s.beat(b, "p-"+run.ID)
			s.exec(b, `
				WITH d AS (UPDATE archive.subjects SET due_reason = 'recheck', next_due_at = now() + interval '90 days', last_run_id = $1, lease_process = NULL
				           WHERE lease_process = 'p-' || $1 RETURNING user_id)
				UPDATE archive.run_users SET done_at = now() FROM d WHERE run_users.run_id = $1 AND run_users.user_id = d.user_id`, run.ID)
			b.StartTimer()
		}
	}
	doneHalf := func(runID string) {
		s.exec(b, `
			WITH d AS (UPDATE archive.subjects SET due_reason = 'recheck', next_due_at = now() + interval '90 days', state = 'archived', last_run_id = $1, lease_process = NULL
			           WHERE subject IN (SELECT x.subject FROM archive.subjects AS x ORDER BY coalesce(x.verified_at, x.first_seen_at) DESC LIMIT $2) RETURNING subject, user_id),
			r AS (UPDATE archive.run_users SET done_at = now() FROM d WHERE run_users.run_id = $1 AND run_users.user_id = d.user_id)
			INSERT INTO archive.outcomes (run_id, subject, user_id, outcome, started_at) SELECT $1, d.subject, d.user_id, 'archived', now() FROM d`, runID, users/2)
	}
	b.Run("all due", func(b *testing.B) { run(b, store.Run{ID: "first"}, store.NewestFirst) })
	doneHalf("first")
	b.Run("half done, before a vacuum", func(b *testing.B) { run(b, store.Run{ID: "first"}, store.NewestFirst) })
	s.exec(b, `VACUUM ANALYZE archive.subjects`)
	b.Run("half done", func(b *testing.B) { run(b, store.Run{ID: "first"}, store.NewestFirst) })
	b.Run("half done, longest due", func(b *testing.B) { run(b, store.Run{ID: "first"}, store.LongestDue) })

	opened := s.begin(b, store.Run{ID: "chosen", Selection: store.Selection{Force: true}}, "p-chosen")
	start := time.Now()
	if _, err := s.users.Sync(b.Context(), store.SyncRequest{RunID: "chosen", Process: "p-chosen", Key: s.key}); err != nil {
		b.Fatal(err)
	}
	b.Logf("sync with a selection of all users: %s", time.Since(start).Round(time.Millisecond))
	b.Run("chosen", func(b *testing.B) { run(b, opened, store.NewestFirst) })
	doneHalf("chosen")
	b.Run("chosen, half done, before a vacuum", func(b *testing.B) { run(b, opened, store.NewestFirst) })
	s.exec(b, `VACUUM ANALYZE archive.subjects`)
	s.exec(b, `VACUUM ANALYZE archive.run_users`)
	b.Run("chosen, half done", func(b *testing.B) { run(b, opened, store.NewestFirst) })
	b.Run("remaining", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.ledger.Remaining(b.Context(), opened, "p-chosen"); err != nil {
				b.Fatal(err)
			}
		}
	})

	s.exec(b, `UPDATE archive.subjects SET due_reason = 'recheck', next_due_at = now() + interval '90 days', lease_process = NULL`)
	s.mustSync(b, "none")
	b.Run("none due, before a vacuum", func(b *testing.B) { run(b, store.Run{ID: "none"}, store.NewestFirst) })
	s.exec(b, `VACUUM ANALYZE archive.subjects`)
	b.Run("none due", func(b *testing.B) { run(b, store.Run{ID: "none"}, store.NewestFirst) })

	s.exec(b, `UPDATE archive.subjects SET due_reason = 'recheck', next_due_at = now() - random() * interval '9 days'`)
	s.mustSync(b, "rechecks")
	b.Run("all come due by time", func(b *testing.B) { run(b, store.Run{ID: "rechecks"}, store.NewestFirst) })
}

func (s *services) beat(b *testing.B, process string) {
	b.Helper()
	if err := s.ledger.Beat(b.Context(), process, store.RunCounts{}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCommit commits users with six images each, one at a time.
func BenchmarkCommit(b *testing.B) {
	s := newServices(b)
	s.fill(b, 100_000)
	s.mustSync(b, "r")
	var tasks []store.Task
	for n := 0; b.Loop(); n++ {
		if len(tasks) == 0 {
			b.StopTimer()
			s.beat(b, "p-r")
			tasks = s.claim(b, store.Run{ID: "r"}, "p-r", 1000)
			b.StartTimer()
		}
		result := sixImages(done(tasks[0], "r", store.OutcomeArchived))
		tasks = tasks[1:]
		if err := s.ledger.Commit(b.Context(), "p-r", result); err != nil {
			b.Fatal(err)
		}
	}
}

func sixImages(result store.Result) store.Result {
	result.Transaction = "t-0123456789abcdef"
	for _, kind := range store.Kinds {
		key := fmt.Sprintf("subjects/%s/%s/%s.jpg", result.Subject, result.Transaction, kind)
		result.Images = append(result.Images, store.Image{
			Kind: kind, State: store.ImageStored, Ref: store.Ref(fmt.Sprintf("%032x", len(kind))), Key: key, Bytes: 300 << 10,
			MediaType: "image/jpeg", SHA256: fmt.Sprintf("%064x", len(key)), FetchedAt: time.Now(),
		})
	}
	return result
}
