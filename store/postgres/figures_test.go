package postgres_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

func figuresOf(t *testing.T, s *services) store.Figures {
	t.Helper()
	figures, err := s.ledger.Figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return figures
}

func TestFiguresOfAnEmptyLedger(t *testing.T) {
	t.Parallel()
	got := figuresOf(t, newServices(t))
	if got.At.IsZero() {
		t.Error("it is no time")
	}
	got.At = time.Time{}
	want := store.Figures{
		Users: map[store.State]int64{}, Failures: map[store.Class]int64{}, OldestUnarchivedAt: map[store.State]time.Time{},
		Verified: store.VerifiedFigures{Findings: map[string]int64{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 6)
	s.mustSync(t, "r")
	tasks := s.claim(t, store.Run{ID: "r"}, "p-r", 4)
	gone := done(tasks[2], "r", store.OutcomeFailed)
	gone.Class, gone.NextDue = store.ClassGone, time.Hour
	for _, result := range []store.Result{
		sixImages(done(tasks[0], "r", store.OutcomeArchived)), gone,
		done(tasks[1], "r", store.OutcomeFailed), done(tasks[3], "r", store.OutcomeNotFound),
	} {
		if err := s.ledger.Commit(t.Context(), "p-r", result); err != nil {
			t.Fatal(err)
		}
	}
	s.exec(t, `UPDATE archive.subjects SET left_at = now() WHERE user_id = 'user-6'`)

	got := figuresOf(t, s)
	if want := map[store.State]int64{"pending": 2, "archived": 1, "failed": 2, "not_found": 1}; !maps.Equal(got.Users, want) || got.UsersLeft != 1 {
		t.Errorf("users = %v, %d of them left", got.Users, got.UsersLeft)
	}
	if want := map[store.Class]int64{"gone": 1, "timeout": 1}; !maps.Equal(got.Failures, want) {
		t.Errorf("failures = %v", got.Failures)
	}
	// What user-3 lacks is settled, user-6 left, user-4 is unknown at Vlens: nobody waits
	// for them. The others were verified as many hours before the new year.
	newYear := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	want := map[store.State]time.Time{"pending": newYear.Add(-5 * time.Hour), "failed": newYear.Add(-2 * time.Hour)}
	if diff := cmp.Diff(want, got.OldestUnarchivedAt); diff != "" {
		t.Errorf("oldest: %s", diff)
	}
	if !got.LastSuccessAt.IsZero() {
		t.Errorf("an open run is a success of %s", got.LastSuccessAt)
	}
}

func TestLastSuccess(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.exec(t, `
		INSERT INTO archive.runs (run_id, kind, status, ended_at, synced_at, sync_left_held) VALUES
			('whole',       'scheduled', 'closed',      '2026-01-01', '2026-01-01', 0),
			('interrupted', 'scheduled', 'interrupted', '2026-01-02', '2026-01-02', 0),
			('backfill',    'backfill',  'closed',      '2026-01-03', '2026-01-03', 0),
			('held',        'manual',    'closed',      '2026-01-04', '2026-01-04', 30),
			('not-synced',  'manual',    'closed',      '2026-01-05', NULL,         0)`)
	if got, want := figuresOf(t, s).LastSuccessAt, time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("last success at %s, want %s", got, want)
	}
}

// What a verification found stands until one that saw as much finds less.
func TestVerifiedFigures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows    string
		damaged int64
		found   map[string]int64
	}{
		"the last of everything": {
			`('2026-01-01', 'default', '{}', 2, '{"missing": 2}'), ('2026-01-02', 'default', '{}', 1, '{"size": 1}')`,
			1,
			map[string]int64{"size": 1},
		},
		"a sample without findings proves nothing about the rest": {
			`('2026-01-01', 'default', '{}', 2, '{"missing": 2}'), ('2026-01-02', 'deep', '{"sample": "1%"}', 0, '{}')`,
			2,
			map[string]int64{"missing": 2},
		},
		"a sample with findings counts": {
			`('2026-01-01', 'default', '{}', 0, '{}'), ('2026-01-02', 'deep', '{"sample": "1%"}', 3, '{"hash": 3, "odd": "x"}')`,
			3,
			map[string]int64{"hash": 3},
		},
		"sizes cannot disprove a hash": {
			`('2026-01-01', 'deep', '{}', 1, '{"hash": 1}'), ('2026-01-02', 'checksums', '{}', 0, '{}')`,
			1,
			map[string]int64{"hash": 1},
		},
		"a hash can": {
			`('2026-01-01', 'deep', '{}', 1, '{"hash": 1}'), ('2026-01-02', 'deep', '{}', 0, '{}')`,
			0,
			map[string]int64{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServices(t)
			s.exec(t, `
				INSERT INTO archive.verifications (started_at, ended_at, mode, scope, damaged, findings)
				SELECT at::timestamptz, at::timestamptz, mode, scope::jsonb, damaged, findings::jsonb
				FROM (VALUES `+c.rows+`) AS v (at, mode, scope, damaged, findings)`)
			want := store.VerifiedFigures{LastAt: time.Date(2026, time.January, 2, 0, 0, 0, 0, time.UTC), Damaged: c.damaged, Findings: c.found}
			if diff := cmp.Diff(want, figuresOf(t, s).Verified); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// With a pool that has gone, the figures are unavailable and not zero.
func TestFiguresOfALedgerThatIsAway(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	ledger, err := postgres.OpenLedger(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	ledger.Close()
	if figures, err := ledger.Figures(t.Context()); err == nil {
		t.Errorf("figures of a closed ledger: %+v", figures)
	}
}
