package report_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

// nights is how many nightly runs a history has.
const nights = 29

// history is a month of an archive: every night a run takes up the users that
// came by day. Every outcome and every failure class is in it.
type history struct {
	*testing.T
	url    store.Sensitive
	ledger *postgres.Ledger
	users  *postgres.Users
	sql    *pgxpool.Pool
	key    store.SubjectKey
	today  time.Time // midnight
	last   string    // id of the last nightly run
	added  int
}

// newLedger is a ledger with its tables, and a source with an empty table.
func newLedger(t *testing.T) *history {
	t.Helper()
	h := &history{T: t, url: store.Sensitive(testservices.DB(t))}
	var err error
	h.sql, err = pgxpool.New(t.Context(), h.url.Reveal())
	h.must(err)
	t.Cleanup(h.sql.Close)
	_, err = postgres.Migrate(t.Context(), h.url, postgres.Up)
	h.must(err)
	h.ledger, err = postgres.OpenLedger(t.Context(), h.url)
	h.must(err)
	t.Cleanup(h.ledger.Close)
	h.exec(`CREATE TABLE users (id text, email text, phone text, transaction_id text, verified_at timestamptz)`)
	source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{
		URL: h.url, UsersSQL: `SELECT id, email, phone, transaction_id, verified_at FROM users`, Identifiers: []string{"phone"},
	})
	h.must(err)
	t.Cleanup(source.Close)
	h.users = postgres.NewUsers(source, h.ledger)
	h.key, err = store.ParseSubjectKey(store.Sensitive(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))))
	h.must(err)
	now, err := h.ledger.Clock(t.Context())
	h.must(err)
	h.today = now.UTC().Truncate(24 * time.Hour)
	return h
}

// newHistory makes the month.
func newHistory(t *testing.T) *history {
	t.Helper()
	h := newLedger(t)
	h.must(h.ledger.OpenArchive(t.Context(), store.ArchiveIdentity{
		LayoutVersion: store.LayoutVersion, Origin: "acme.example/vlens-archive", TenancyName: "acme", KeyCheck: h.key.Check(), Place: "acme-kyc-archive/vlens",
	}))
	for night := range nights {
		h.night(night)
	}
	h.unfinished()
	h.accepts()
	h.checks()
	return h
}

// night is one nightly run, which then is moved to its night. What each user
// comes to depends on place and night only.
func (h *history) night(night int) {
	began := h.today.AddDate(0, 0, night-nights).Add(22 * time.Hour)
	came := 14 + night*7%19
	h.exec(`
		INSERT INTO users SELECT 'user-' || g, NULL, '+2010' || g, NULL, $3::timestamptz - (g % 22) * interval '1 hour' FROM generate_series($1::int, $2::int) AS g`,
		h.added+1, h.added+came, began)
	h.added += came
	if night == nights-2 {
		h.exec(`DELETE FROM users WHERE id IN ('user-3', 'user-40', 'user-41')`) // two are archived
	}
	if night%6 == 5 {
		h.exec(`UPDATE users SET verified_at = verified_at + interval '1 minute' WHERE id IN ('user-' || $1::int, 'user-' || ($1::int + 1))`, 20+night)
	}
	h.last = "nightly-" + began.Format(time.DateOnly)
	run := store.Run{ID: h.last, Kind: store.RunScheduled, ToolVersion: "1.0.0"}
	process := h.enter(run)
	claimed := 1000
	if night == nights-1 {
		claimed = came - 9 // the time box ends before all are done
	}
	var requests int64
	for n, task := range h.claim(run, process, claimed) {
		result := h.result(task, run.ID, night, n)
		requests += int64(result.Requests)
		h.must(h.ledger.Commit(h.Context(), process, result))
	}
	h.must(h.ledger.Leave(h.Context(), process, store.RunCounts{Requests: map[string]int64{"login": 1, "list": requests / 5, "image": requests - requests/5}}))
	h.end(run.ID, store.RunClosed)
	h.move(run.ID, began)
}

func (h *history) enter(run store.Run) (process string) {
	process = "p-" + run.ID
	_, err := h.ledger.OpenRun(h.Context(), run)
	h.must(err)
	h.must(h.ledger.Enter(h.Context(), process, "worker", run.ID))
	_, err = h.users.Sync(h.Context(), store.SyncRequest{RunID: run.ID, Process: process, Key: h.key})
	h.must(err)
	return process
}

func (h *history) claim(run store.Run, process string, n int) []store.Task {
	tasks, err := h.ledger.Claim(h.Context(), run, process, store.NewestFirst, n)
	h.must(err)
	return tasks
}

// end closes a run as a process that does not belong to it.
func (h *history) end(runID string, status store.RunStatus) {
	closer := "closer-of-" + runID
	h.must(h.ledger.Enter(h.Context(), closer, "worker", runID))
	mine, err := h.ledger.BeginClose(h.Context(), runID, closer)
	h.must(err)
	if !mine {
		h.Fatalf("run %q cannot be closed", runID)
	}
	h.must(h.ledger.FinishClose(h.Context(), runID, closer, status,
		store.RunObject{Key: "vlens/runs/" + runID + "/SHA256SUMS", SHA256: strings.Repeat("0", 64)}))
	h.must(h.ledger.Leave(h.Context(), closer, store.RunCounts{}))
}

// result is how the n-th user of a night ends.
func (h *history) result(task store.Task, runID string, night, n int) store.Result {
	result := store.Result{Task: task, RunID: runID, Outcome: store.OutcomeArchived, NextDue: 90 * 24 * time.Hour, Requests: 1, StartedAt: time.Now()}
	class := store.Classes[(night*2+n)%len(store.Classes)]
	switch {
	case task.State == store.StateArchived:
		result.Outcome = store.OutcomeUnchanged
		return result
	case n < 2 && night >= nights-9: // each class once as failed or partial
		result.Outcome, result.Class = store.OutcomeFailed, class.Class
		if n == 1 {
			result.Outcome = store.OutcomePartial
			h.images(&result, 2)
		}
		if class.Settled {
			result.NextDue = store.Never
		}
		return result
	case n == 2 && night%3 == 0:
		result.Outcome = store.OutcomeNoImages
		return result
	case n == 3 && night%4 == 0:
		result.Outcome = store.OutcomeNotFound
		return result
	}
	h.images(&result, store.KindCount)
	if n == 4 && night == 7 {
		result.Class = store.ClassConflict // archived, with something to look at
	}
	return result
}

// images stores the first n kinds, and the record.
func (h *history) images(result *store.Result, n int) {
	result.Transaction = "t-" + string(result.Subject[:16])
	folder := fmt.Sprintf("vlens/subjects/%s/%s/%s/", result.Subject[:2], result.Subject, result.Transaction)
	for i, kind := range store.Kinds[:n] {
		size := int64(180_000 + (int(result.Subject[i])*7919)%190_000)
		sum := fmt.Sprintf("%064x", size*int64(i+1))
		result.Images = append(result.Images, store.Image{
			Kind: kind, State: store.ImageStored, Ref: store.Ref(sum[32:]), Key: folder + string(kind) + "." + sum[48:] + ".jpg",
			Bytes: size, MediaType: "image/jpeg", SHA256: sum, FetchedAt: time.Now(),
		})
		result.Requests++
		result.Bytes += size
	}
	result.Record = &store.RecordRef{
		Transaction: result.Transaction, Sequence: 1, Key: folder + "record.0001.json", SHA256: strings.Repeat("ab", 32), ArchivedAt: time.Now(),
	}
	result.NewRecords = []store.RecordRef{*result.Record}
}

// move makes a run that was made now one of another time. Its users are done in
// the course of two hours and a quarter.
func (h *history) move(runID string, began time.Time) {
	const at = `$2::timestamptz + ((hashtext(subject) & 8191) + 120) * interval '1 second'`
	ctx := h.Context()
	tx, err := h.sql.Begin(ctx)
	h.must(err)
	defer tx.Rollback(context.WithoutCancel(ctx))
	// History is insert-only; only a superuser can rewrite it, as here.
	_, err = tx.Exec(ctx, `SET LOCAL session_replication_role = replica`)
	h.must(err)
	for _, statement := range []string{
		`UPDATE archive.outcomes SET started_at = ` + at + ` - interval '4 seconds', ended_at = ` + at + ` WHERE run_id = $1`,
		`UPDATE archive.images SET fetched_at = ` + at + ` - interval '1 second' WHERE run_id = $1`,
		`UPDATE archive.records SET archived_at = ` + at + ` WHERE run_id = $1`,
		`UPDATE archive.subjects SET first_seen_at = $2::timestamptz WHERE first_seen_at > (SELECT r.started_at FROM archive.runs AS r WHERE r.run_id = $1)`,
		`UPDATE archive.subjects SET archived_at = ` + at + ` WHERE last_run_id = $1 AND archived_at IS NOT NULL`,
		`UPDATE archive.processes SET started_at = $2::timestamptz, heartbeat_at = $2::timestamptz + interval '150 minutes', ended_at = $2::timestamptz + interval '150 minutes' WHERE run_id = $1`,
		`UPDATE archive.runs SET started_at = $2::timestamptz, ended_at = $2::timestamptz + interval '150 minutes', synced_at = $2::timestamptz + interval '40 seconds' WHERE run_id = $1`,
	} {
		_, err = tx.Exec(ctx, statement, runID, began)
		h.must(err)
	}
	h.must(tx.Commit(ctx))
}

// unfinished adds a run that nobody finished and one that is still going on.
func (h *history) unfinished() {
	run := store.Run{ID: "backfill-spring", Kind: store.RunBackfill, Selection: store.Selection{Failed: true}}
	_, err := h.ledger.OpenRun(h.Context(), run)
	h.must(err)
	h.end(run.ID, store.RunInterrupted)
	h.move(run.ID, h.today.AddDate(0, 0, -3).Add(9*time.Hour))

	run = store.Run{ID: "manual-now", Kind: store.RunManual}
	process := h.enter(run)
	tasks := h.claim(run, process, 3)
	h.must(h.ledger.Commit(h.Context(), process, h.result(tasks[0], run.ID, 1, 9)))
}

// accepts adds exceptions about some of the users who failed, one of whom left.
func (h *history) accepts() {
	h.exec(`
		INSERT INTO archive.exceptions (subject, transaction_id, verified_at, class, act, reason, actor, at, audit_key, audit_sha256)
		SELECT s.subject, CASE WHEN s.named THEN s.newest_transaction ELSE coalesce(s.transaction_id::text, '') END, CASE WHEN NOT s.named THEN s.verified_at END,
		       s.last_class, 'accepted', 'ticket 7', 'Mona Adel', now(), 'audit/accept-1.json', repeat('a', 64)
		FROM (SELECT x.*, x.newest_transaction <> '' AND x.last_class NOT IN ('no_transaction', 'shared_transaction', 'no_identifier') AS named,
		             row_number() OVER (PARTITION BY x.state, x.left_at IS NULL ORDER BY x.subject) AS n
		      FROM archive.subjects AS x WHERE x.state IN ('failed', 'partial') AND x.settled) AS s
		WHERE s.n <= 2`)
}

// checks adds verifications and log entries, of which nobody has made any yet.
func (h *history) checks() {
	h.exec(`
		INSERT INTO archive.verifications (started_at, ended_at, mode, scope, objects, records, damaged)
		VALUES ($1::timestamptz - interval '20 days', $1::timestamptz - interval '19 days 22 hours', 'deep', '{}', 1811, 300, 0),
		       ($1::timestamptz - interval '6 days', $1::timestamptz - interval '5 days 23 hours', 'checksums', '{"sample_percent": 5, "seed": "7"}', 190, 32, 1),
		       ($1::timestamptz - interval '1 days', $1::timestamptz - interval '23 hours', 'default', '{"subject": "aaaaaaaaaaaaaaaaaaaaaaaaaa"}', 6, 1, 0)`, h.today)
	h.exec(`
		INSERT INTO archive.log_entries (log_index, sha256, kind, key, added_at)
		SELECT row_number() OVER (ORDER BY r.archived_at, r.key) - 1, r.sha256, 'record', r.key, least(now(), r.archived_at + interval '10 minutes')
		FROM archive.records AS r WHERE r.run_id <> $1`, h.last)
	h.exec(`
		UPDATE archive.log SET size = entries.n - 2, root = 'root', sealed_at = entries.last - interval '1 hour'
		FROM (SELECT count(*) AS n, max(added_at) AS last FROM archive.log_entries) AS entries`)
}

func (h *history) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *history) exec(sql string, args ...any) {
	h.Helper()
	if _, err := h.sql.Exec(h.Context(), sql, args...); err != nil {
		h.Fatalf("%s: %v", sql, err)
	}
}

// text is the one value of a query, as text.
func (h *history) text(sql string, args ...any) string {
	h.Helper()
	var value *string
	if err := h.sql.QueryRow(h.Context(), sql, args...).Scan(&value); err != nil {
		h.Fatalf("%s %v: %v", sql, args, err)
	}
	if value == nil {
		return ""
	}
	return *value
}
