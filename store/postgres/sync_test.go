package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

func TestSyncRefuses(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 3)
	s.mustSync(t, "first")
	for name, c := range map[string]struct {
		values string // rows of id, transaction_id
		says   string
	}{
		"null id":         {`(NULL, NULL), ('a', NULL)`, "1 rows have no id"},
		"empty id":        {`('', NULL), ('', NULL)`, "2 rows have no id"},
		"duplicate":       {`('a', NULL), ('a', NULL), ('b', NULL), ('b', NULL), ('b', NULL)`, "5 rows of source.users_sql share 2 ids"},
		"email":           {`('ali@mail.example', NULL)`, "1 rows have an id that looks like"},
		"mobile":          {`('01001234567', NULL), ('201001234567', NULL), ('00201001234567', NULL), ('1', NULL)`, "3 rows have an id that looks like"},
		"foreign phone":   {`('+966 50 123-4567', NULL)`, "1 rows have an id that looks like"},
		"national id":     {`('29001011234567', NULL)`, "1 rows have an id that looks like"},
		"transaction":     {`('a', 'not-a-uuid'), ('b', '6f1c1f9e-0000-4000-8000-000000000001')`, "1 rows have a transaction_id that is no UUID"},
		"several":         {`('', 'x')`, "1 rows have no id, 1 rows have a transaction_id"},
		"unreadable time": {`('a', NULL)`, "verified_at"},
	} {
		t.Run(name, func(t *testing.T) {
			verified := "NULL::text"
			if name == "unreadable time" {
				verified = "'yesterday-ish'::text"
			}
			s.useSource(t, postgres.SourceConfig{UsersSQL: `SELECT v.id, v.t AS transaction_id, ` + verified + ` AS verified_at, '' AS phone FROM (VALUES ` + c.values + `) AS v (id, t)`, Identifiers: []string{"phone"}})
			_, err := s.sync(t, "refused-"+strings.ReplaceAll(name, " ", "-"))
			if !errors.Is(err, store.ErrSource) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want %q", err, c.says)
			}
			for _, secret := range []string{"0100", "ali@", "2900", "966"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells an id: %v", err)
				}
			}
			if n := s.count(t, `SELECT count(*) FROM archive.subjects WHERE left_at IS NULL`); n != 3 {
				t.Errorf("a failed sync changed the users: %d", n)
			}
		})
	}
}

// The rows of a user whom the ledger has are the same ones, and yet one too many.
func TestSyncRefusesDuplicatesOfKnownUsers(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 3)
	s.mustSync(t, "first")
	s.useSource(t, postgres.SourceConfig{UsersSQL: usersSQL + ` UNION ALL ` + usersSQL + ` WHERE id = 'user-2'`})
	if _, err := s.sync(t, "second"); !errors.Is(err, store.ErrSource) || !strings.Contains(err.Error(), "2 rows of source.users_sql share 1 ids") {
		t.Error(err)
	}
}

// Rows without an id are counted to the last, however many rows are on their way
// into the ledger by then.
func TestSyncCountsMissingIDsAmongMany(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.useSource(t, postgres.SourceConfig{UsersSQL: `SELECT CASE WHEN g % 1000 <> 1 THEN repeat('x', 50) || g END AS id, '' AS phone
		FROM generate_series(1, 50000) AS g`, Identifiers: []string{"phone"}})
	if _, err := s.sync(t, "r1"); !errors.Is(err, store.ErrSource) || !strings.Contains(err.Error(), "50 rows have no id") {
		t.Errorf("the sync ended with %v", err)
	}
}

// When the ledger breaks off in the middle of the copy, the error is the ledger's,
// and not what the source says of it.
func TestSyncLosesTheLedger(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.useSource(t, postgres.SourceConfig{UsersSQL: `SELECT repeat('x', 2000) || g AS id, '' AS phone
		FROM generate_series(1, 100000) AS g, LATERAL (SELECT pg_sleep(0.001 + 0 * g)) AS slow`, Identifiers: []string{"phone"}})
	ctx, stop := context.WithCancel(t.Context())
	var killer sync.WaitGroup
	killer.Go(func() {
		for ctx.Err() == nil && s.count(t, `SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE 'COPY pg_temp.source_users%' AND state = 'active') AS killed`) == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	})
	_, err := s.sync(t, "r1")
	stop()
	killer.Wait()
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "ledger database") {
		t.Errorf("the sync ended with %v", err)
	}
}

func TestSyncAcceptsIDs(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	odd := []string{"1", "4294967296", "1609459200000", "user@", "a\tb", `back\slash`, "new\nline", `\N`, "ع", "0", "00000000-0000-4000-8000-000000000001", "123456789012345678", "999 999", "c\rd"}
	for _, id := range odd {
		s.exec(t, `INSERT INTO app.users (id, phone) VALUES ($1, '')`, id)
	}
	if result := s.mustSync(t, "r1"); result != (store.SyncResult{Users: int64(len(odd)), New: int64(len(odd))}) {
		t.Fatalf("%+v", result)
	}
	for _, id := range odd {
		var subject store.Subject
		s.scan(t, []any{&subject}, `SELECT subject FROM archive.subjects WHERE user_id = $1`, id)
		if subject != s.key.Subject(id) {
			t.Errorf("subject of %q", id)
		}
	}
	s.begin(t, store.Run{ID: "r2"}, "p-r2")
	s.exec(t, `INSERT INTO app.users (id) VALUES ('01001234567')`)
	if _, err := s.users.Sync(t.Context(), store.SyncRequest{RunID: "r2", Process: "p-r2", Key: s.key, AllowPersonalIDs: true}); err != nil {
		t.Fatal(err)
	}
	s.mustSync(t, "r3") // what the ledger has already is not refused
}

// Whatever the type of verified_at, it is kept as the same moment; and emails
// and phones do not reach the ledger.
func TestSyncNormalises(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.exec(t, `INSERT INTO app.users (id, email, phone, transaction_id, verified_at)
		VALUES ('u', 'planted@mail.example', '+201009998877', ' 6F1C1F9E-0000-4000-8000-000000000001 ', '2026-03-04 00:00:00+00')`)
	for n, expression := range []string{
		`verified_at`, `(verified_at AT TIME ZONE 'UTC')`, `(verified_at AT TIME ZONE 'UTC')::date`,
		`'2026-03-04'::text`, `'2026-03-04T02:00:00+02:00'::text`, `'infinity'::timestamptz`, `''::text`, `NULL::timestamp`,
	} {
		s.useSource(t, postgres.SourceConfig{UsersSQL: `SELECT id, email, phone, transaction_id, ` + expression + ` AS verified_at FROM app.users -- all of them`})
		s.mustSync(t, fmt.Sprintf("r%d", n))
		var verified *time.Time
		var transaction string
		s.scan(t, []any{&verified, &transaction}, `SELECT verified_at, transaction_id FROM archive.subjects`)
		if n < 5 && (verified == nil || !verified.Equal(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC))) || n >= 5 && verified != nil {
			t.Errorf("%s: %v", expression, verified)
		}
		if transaction != "6f1c1f9e-0000-4000-8000-000000000001" {
			t.Errorf("transaction %q", transaction)
		}
	}
	var everything string
	s.scan(t, []any{&everything}, `SELECT string_agg(to_jsonb(s)::text, '') || (SELECT string_agg(to_jsonb(r)::text, '') FROM archive.runs AS r) FROM archive.subjects AS s`)
	if strings.Contains(everything, "planted") || strings.Contains(everything, "998877") {
		t.Error("an email or phone reached the ledger")
	}
}

// What programs write for "none", and what no date of a record can be, is unknown
// and counted; a date to come is kept.
func TestSyncOfDatesOfOtherWorlds(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 1)
	for n, c := range []struct {
		verified string
		undated  int64
		kept     bool
	}{
		{`'0001-01-01 00:00:00+00'::timestamptz`, 1, false}, // .NET
		{`'0001-01-01'::date`, 1, false},
		{`'0001-01-01T00:00:00Z'::text`, 1, false},
		{`'0000-00-00 00:00:00'::text`, 1, false}, // MySQL
		{`'1753-01-01'::timestamp`, 1, false},     // SQL Server
		{`'1899-12-30'::date`, 1, false},          // spreadsheets
		{`'1970-01-01 00:00:00+00'::timestamptz`, 1, false},
		{`'1999-12-31 23:59:59+00'::timestamptz`, 1, false},
		{`'2000-01-01 00:00:00+00'::timestamptz`, 0, true},
		{`'2000-01-01 01:30:00+02'::timestamptz`, 1, false}, // in UTC it is the year before
		{`now() + interval '1 year'`, 0, true},
		{`'2199-12-31'::date`, 0, true},
		{`'2200-01-01'::date`, 1, false},
		{`'10000-01-01 00:00:00+00'::timestamptz`, 1, false},
		{`'9999-12-31 23:59:59.9999999'::timestamp`, 1, false}, // .NET
		{`'0044-03-15 BC'::date`, 1, false},
		{`'infinity'::timestamptz`, 1, false},
		{`'-infinity'::timestamp`, 1, false},
		{`' '::text`, 0, false},
		{`NULL::timestamptz`, 0, false},
	} {
		s.useSource(t, postgres.SourceConfig{UsersSQL: `SELECT id, phone, ` + c.verified + ` AS verified_at FROM app.users`, Identifiers: []string{"phone"}})
		figures, err := s.users.Plan(t.Context(), store.Selection{}, 0, false, s.key)
		if err != nil || figures.Sync.Undated != c.undated {
			t.Errorf("%s: the plan counts %d, %v", c.verified, figures.Sync.Undated, err)
		}
		run := fmt.Sprintf("r%d", n)
		if result := s.mustSync(t, run); result.Undated != c.undated {
			t.Errorf("%s: %+v", c.verified, result)
		}
		if n := s.count(t, `SELECT sync_undated FROM archive.runs WHERE run_id = $1`, run); n != c.undated {
			t.Errorf("%s: the run says %d", c.verified, n)
		}
		if kept := s.count(t, `SELECT count(verified_at) FROM archive.subjects`) == 1; kept != c.kept {
			t.Errorf("%s: kept %t", c.verified, kept)
		}
		users, err := s.source.Lookup(t.Context(), []string{"user-1"})
		if err != nil || users["user-1"].VerifiedAt.IsZero() == c.kept {
			t.Errorf("%s: looked up as %v, %v", c.verified, users, err)
		}
	}
}

func TestSyncIsDoneOnceForARun(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 500)
	s.exec(t, `CREATE SEQUENCE app.passes`)
	s.useSource(t, postgres.SourceConfig{UsersSQL: `SELECT id, phone, (SELECT nextval('app.passes'))::text AS pass FROM app.users`, Identifiers: []string{"phone"}})
	// A sequence cannot advance in a read-only transaction: the source is only read.
	s.begin(t, store.Run{ID: "w"}, "pw")
	if _, err := s.users.Sync(t.Context(), store.SyncRequest{RunID: "w", Process: "pw", Key: s.key}); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("writing query: %v", err)
	}

	s.useSource(t, postgres.SourceConfig{UsersSQL: usersSQL})
	s.begin(t, store.Run{ID: "r"}, "p0")
	var group sync.WaitGroup
	for n := range 4 {
		process := fmt.Sprintf("p%d", n)
		s.begin(t, store.Run{ID: "r"}, process)
		group.Go(func() {
			result, err := s.users.Sync(t.Context(), store.SyncRequest{RunID: "r", Process: process, Key: s.key})
			if err != nil || result != (store.SyncResult{Users: 500, New: 500}) {
				t.Errorf("%+v, %v", result, err)
			}
		})
	}
	group.Wait()
}

func TestSyncTakesOverFromTheDead(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 2)
	s.begin(t, store.Run{ID: "r"}, "dead")
	s.begin(t, store.Run{ID: "r"}, "p")
	s.exec(t, `UPDATE archive.runs SET sync_process = 'dead'`)
	waiting, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	if _, err := s.users.Sync(waiting, store.SyncRequest{RunID: "r", Process: "p", Key: s.key}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("while the other lives: %v", err)
	}
	s.silence(t, "dead")
	if result, err := s.users.Sync(t.Context(), store.SyncRequest{RunID: "r", Process: "p", Key: s.key}); err != nil || result.New != 2 {
		t.Fatalf("%+v, %v", result, err)
	}
}

// A sync that fails half-way, here because its connection is cut, changes
// nothing, and the next one works.
func TestSyncCutShort(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 3)
	s.mustSync(t, "r1")
	s.useSource(t, postgres.SourceConfig{UsersSQL: `SELECT id, phone FROM app.users UNION ALL SELECT 'x' || g, '' FROM generate_series(1, 300000) AS g UNION ALL SELECT (1 / (SELECT count(*) FROM app.users WHERE id IS NULL))::text, ''`})
	if _, err := s.sync(t, "r2"); !errors.Is(err, store.ErrSource) {
		t.Fatal(err)
	}
	if n := s.count(t, `SELECT count(*) FROM archive.subjects`); n != 3 {
		t.Fatalf("%d users after a failed sync", n)
	}
	var process *string
	s.scan(t, []any{&process}, `SELECT sync_process FROM archive.runs WHERE run_id = 'r2'`)
	if process != nil {
		t.Error("a failed sync keeps its turn")
	}
	s.useSource(t, postgres.SourceConfig{UsersSQL: usersSQL})
	if result, err := s.users.Sync(t.Context(), store.SyncRequest{RunID: "r2", Process: "p-r2", Key: s.key}); err != nil || result.Users != 3 {
		t.Fatal(result, err)
	}
}

// A new user whose subject belongs to another user is not left out in silence.
func TestSyncRefusesASubjectOfTwoUsers(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 3)
	s.mustSync(t, "r1")
	s.exec(t, `UPDATE archive.subjects SET user_id = 'another' WHERE user_id = 'user-2'`)
	if _, err := s.sync(t, "r2"); err == nil || !strings.Contains(err.Error(), "belong to other users already; check archive.subject_key: 1 of 1 new users") {
		t.Fatalf("%v", err)
	}
	if n := s.count(t, `SELECT count(*) FROM archive.subjects WHERE user_id = 'another' AND left_at IS NULL`); n != 1 {
		t.Error("a sync that is refused changes users")
	}
}

func TestSyncWritesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 100)
	s.mustSync(t, "r1")
	s.exec(t, `UPDATE app.users SET verified_at = verified_at + interval '1 day' WHERE id = 'user-7'`)
	before := s.count(t, `SELECT max(xmin::text::bigint) FROM archive.subjects`)
	if result := s.mustSync(t, "r2"); result.Changed != 1 {
		t.Fatalf("%+v", result)
	}
	if n := s.count(t, `SELECT count(*) FROM archive.subjects WHERE xmin::text::bigint > $1`, before); n != 1 {
		t.Fatalf("%d rows written for one change", n)
	}
}

// After a rebuild from the bucket a subject may be there without its id. It is
// linked when its user is in the query, and the new users come beside it; there
// are more of them than are taken at a time.
func TestSyncLinksSubjectsWithoutIDs(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 3)
	s.mustSync(t, "r1")
	s.exec(t, `UPDATE archive.subjects SET user_id = NULL, state = 'archived', due_reason = 'recheck', next_due_at = NULL, left_at = now(), attempts = 2, verified_at = NULL
		WHERE user_id IN ('user-2', 'user-3')`)
	s.exec(t, `DELETE FROM app.users WHERE id = 'user-3'`)
	s.exec(t, `INSERT INTO app.users (id, transaction_id) SELECT 'fresh-' || g, '6f1c1f9e-0000-4000-8000-0000000' || g FROM generate_series(10001, 30002) AS g`)
	if result := s.mustSync(t, "r2"); result != (store.SyncResult{Users: 20_004, New: 20_003}) {
		t.Fatalf("%+v", result)
	}

	rows, err := s.sql.Query(t.Context(), `SELECT s.user_id, s.subject FROM archive.subjects AS s WHERE s.user_id IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	var id string
	var subject store.Subject
	users := 0
	if _, err := pgx.ForEachRow(rows, []any{&id, &subject}, func() error {
		users++
		if subject != s.key.Subject(id) {
			t.Errorf("subject of %q", id)
		}
		return nil
	}); err != nil || users != 20_004 {
		t.Fatalf("%d users, %v", users, err)
	}
	for what, where := range map[string]string{
		"linked, and due with its history": `s.user_id = 'user-2' AND s.state = 'archived' AND s.left_at IS NULL AND s.next_due_at <= now() AND s.due_reason = 'returned'
			AND s.attempts = 0 AND s.row_version = 1 AND s.verified_at = timestamptz '2026-01-01' - interval '2 hours'`,
		"still without an id": `s.user_id IS NULL AND s.left_at IS NOT NULL AND s.next_due_at IS NULL`,
		"new":                 `s.user_id = 'fresh-30002' AND s.state = 'pending' AND s.next_due_at <= now() AND s.due_reason = 'new' AND s.verified_at IS NULL AND s.transaction_id = '6f1c1f9e-0000-4000-8000-000000030002'`,
	} {
		if n := s.count(t, `SELECT count(*) FROM archive.subjects AS s WHERE `+where); n != 1 {
			t.Errorf("%d subjects are %s, want 1", n, what)
		}
	}
	if result := s.mustSync(t, "r3"); result != (store.SyncResult{Users: 20_004}) {
		t.Errorf("once more: %+v", result)
	}
}

func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 6)
	s.mustSync(t, "r1")
	run := store.Run{ID: "r1"}
	tasks := s.claim(t, run, "p-r1", 3)
	for n, outcome := range []store.Outcome{store.OutcomeArchived, store.OutcomeFailed, store.OutcomeNotFound} {
		result := done(tasks[n], "r1", outcome)
		result.NextDue = 0
		if n == 2 {
			result.NextDue = store.Never
		}
		if err := s.ledger.Commit(t.Context(), "p-r1", result); err != nil {
			t.Fatal(err)
		}
	}
	s.exec(t, `INSERT INTO app.users (id) VALUES ('fresh')`)
	s.exec(t, `UPDATE app.users SET verified_at = now() WHERE id = 'user-4'`)
	s.exec(t, `DELETE FROM app.users WHERE id = 'user-6'`)
	state := func() string {
		var text string
		s.scan(t, []any{&text}, `SELECT string_agg(to_jsonb(s)::text, ',' ORDER BY s.subject) FROM archive.subjects AS s`)
		return text
	}
	before := state()

	figures, err := s.users.Plan(t.Context(), store.Selection{}, 0, false, s.key)
	if err != nil {
		t.Fatal(err)
	}
	if figures.Sync != (store.SyncResult{Users: 6, New: 1, Changed: 1, Left: 1}) {
		t.Errorf("sync = %+v", figures.Sync)
	}
	for name, c := range map[string]struct {
		selection store.Selection
		limit     int
		want      map[store.DueReason]int64
	}{
		"due":    {store.Selection{}, 0, map[store.DueReason]int64{"new": 2, "changed": 1, "retry": 1, "recheck": 1}},
		"failed": {store.Selection{Failed: true}, 0, map[store.DueReason]int64{"retry": 1}},
		"ids":    {store.Selection{UserIDs: []string{"user-3", "fresh"}}, 0, map[store.DueReason]int64{"new": 1, "retry": 1}},
		"limit":  {store.Selection{}, 2, map[store.DueReason]int64{"new": 1, "changed": 1}},
	} {
		figures, err := s.users.Plan(t.Context(), c.selection, c.limit, false, s.key)
		if err != nil || !maps.Equal(figures.Due, c.want) {
			t.Errorf("%s: %v, want %v (%v)", name, figures.Due, c.want, err)
		}
	}
	if _, err := s.users.Plan(t.Context(), store.Selection{UserIDs: []string{"user-1", "nobody"}}, 0, false, s.key); !errors.Is(err, store.ErrSelection) || !strings.Contains(err.Error(), "position 2") {
		t.Errorf("unknown id: %v", err)
	}
	if after := state(); after != before {
		t.Error("a plan changed the ledger")
	}

	// What the plan says is what the run then finds.
	s.mustSync(t, "r2")
	if tasks := s.claim(t, store.Run{ID: "r2"}, "p-r2", 99); len(tasks) != 5 {
		t.Errorf("planned 5 users, claimed %d", len(tasks))
	}
}
