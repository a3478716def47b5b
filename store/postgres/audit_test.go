package postgres_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"vlens-archiver/store"
)

// all reads a sequence to its end.
func all[T any](t *testing.T, sequence iter.Seq2[T, error]) []T {
	t.Helper()
	var values []T
	for value, err := range sequence {
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}

func TestAuditReadsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 600) // more than two pages
	s.mustSync(t, "r")
	tasks := s.claim(t, store.Run{ID: "r"}, "p-r", 600)
	for _, task := range tasks[1:] {
		if err := s.ledger.Commit(t.Context(), "p-r", sixImages(done(task, "r", store.OutcomeArchived))); err != nil {
			t.Fatal(err)
		}
	}

	subjects := all(t, s.ledger.AuditSubjects(t.Context(), store.AuditScope{}))
	if len(subjects) != 599 {
		t.Fatalf("%d subjects", len(subjects))
	}
	for n, rows := range subjects {
		if n > 0 && rows.Subject <= subjects[n-1].Subject {
			t.Fatalf("%s after %s", rows.Subject, subjects[n-1].Subject)
		}
		if len(rows.Images) != 6 || rows.Live || rows.Unsettled || rows.Images[0].RunID != "r" || rows.Images[0].Transaction == "" {
			t.Fatalf("%+v", rows)
		}
	}
	ofRun := all(t, s.ledger.AuditSubjects(t.Context(), store.AuditScope{RunID: "r"}))
	if len(ofRun) != 599 || ofRun[598].Subject != subjects[598].Subject {
		t.Errorf("%d subjects of the run", len(ofRun))
	}
	if none := all(t, s.ledger.AuditSubjects(t.Context(), store.AuditScope{RunID: "other"})); len(none) != 0 {
		t.Errorf("%d subjects of another run", len(none))
	}
	claimed, err := s.ledger.AuditSubject(t.Context(), tasks[0].Subject)
	if err != nil || !claimed.Live || !claimed.Unsettled || len(claimed.Images) != 0 {
		t.Errorf("claimed: %+v, %v", claimed, err)
	}

	users := all(t, s.ledger.AuditRunUsers(t.Context(), "r"))
	if len(users) != 599 || len(users[0].Stored) != 6 || users[0].Outcome != store.OutcomeArchived || users[0].Subject != subjects[0].Subject {
		t.Errorf("%d users of the run", len(users))
	}
	if objects := all(t, s.ledger.AuditRunObjects(t.Context(), "r")); len(objects) < 599*6 || objects[0].Key >= objects[1].Key {
		t.Errorf("%d objects of the run", len(objects))
	}
	runs := all(t, s.ledger.AuditRuns(t.Context(), "", func(run store.Run) string { return "sums of " + run.ID }))
	if len(runs) != 1 || runs[0].Images != 599*6 || runs[0].Outcomes[store.OutcomeArchived] != 599 || runs[0].LogIndex != -1 {
		t.Errorf("runs %+v", runs)
	}
}

func TestAuditOfTheLogAndItsTrail(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	ctx := t.Context()
	s.exec(t, `INSERT INTO archive.runs (run_id, kind) VALUES ('nightly', 'manual')`)
	s.exec(t, `INSERT INTO archive.records (key, subject, transaction_id, sequence, sha256, run_id, archived_at)
		VALUES ('v/record', 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 't-0123456789abcdef', 1, $1, 'nightly', now())`, sha('1'))
	s.exec(t, `INSERT INTO archive.log_entries (log_index, sha256, kind, key) VALUES
		(0, $1, 'record', 'v/record'), (1, $2, 'record', 'v/lost'), (2, $2, 'run', 'v/runs/2026/01/02/nightly/SHA256SUMS')`, sha('1'), sha('2'))
	s.exec(t, `INSERT INTO archive.outcomes (run_id, subject, outcome, started_at, record_key, record_sha256)
		VALUES ('nightly', 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 'archived', now(), 'v/gone', $1)`, sha('3'))

	rows := all(t, s.ledger.AuditLog(ctx))
	if len(rows) != 3 || !rows[0].Known || rows[0].SHA256There != sha('1') || rows[1].Known || !rows[2].Known || rows[2].Kind != "run" {
		t.Errorf("log %+v", rows)
	}
	unbacked := all(t, s.ledger.AuditUnbacked(ctx))
	if len(unbacked) != 1 || unbacked[0].RecordKey != "v/gone" {
		t.Errorf("unbacked %+v", unbacked)
	}
	subject, err := s.ledger.AuditSubject(ctx, "aaaaaaaaaaaaaaaaaaaaaaaaaa")
	if err != nil || len(subject.Records) != 1 || subject.Records[0].LogIndex != 0 || len(subject.Cited) != 1 {
		t.Errorf("subject %+v, %v", subject, err)
	}
	if objects, err := s.ledger.CountObjects(ctx); err != nil || objects != 1 {
		t.Errorf("%d objects, %v", objects, err)
	}

	if _, err := s.ledger.Archive(ctx); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a ledger without an archive: %v", err)
	}
	now := time.Now()
	for n, key := range []string{"v/audit/2", "", "v/audit/1"} {
		err := s.ledger.AddVerification(ctx, store.Verification{
			StartedAt: now, EndedAt: now, Mode: store.VerifyDeep, Scope: []byte(`{}`), Objects: int64(n), Findings: map[string]int64{"missing": 1}, AuditKey: key,
		}, stateNothing)
		if err != nil {
			t.Fatal(err)
		}
	}
	stated, err := s.ledger.AuditStatements(ctx)
	if err != nil || len(stated) != 2 || stated[0].Key() != "v/audit/1" || stated[1].Verification.Findings["missing"] != 1 {
		t.Errorf("statements %+v, %v", stated, err)
	}
	if named, err := s.ledger.AuditStatements(ctx, "v/audit/2", "v/audit/3"); err != nil || len(named) != 1 || named[0].Key() != "v/audit/2" {
		t.Errorf("statements that were asked for: %+v, %v", named, err)
	}
	var missing int64
	s.scan(t, []any{&missing}, `SELECT sum((findings->>'missing')::bigint)::bigint FROM archive.verifications WHERE mode = 'deep'`)
	if missing != 3 {
		t.Errorf("%d findings are kept", missing)
	}
}

func stateNothing(context.Context) error { return nil }

// A row of the trail is kept with its statement or not at all.
func TestRowsOfTheTrailComeWithTheirStatement(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	access := store.Access{At: time.Now(), Action: store.ActionExport, Subject: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Reason: "case", AuditKey: "v/audit/1"}
	refused := errors.New("the bucket says no")
	if err := s.ledger.AddAccess(t.Context(), access, func(context.Context) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("an export that could not be stated: %v", err)
	}
	stated := false
	access.Reason = "" // the ledger refuses it
	if err := s.ledger.AddAccess(t.Context(), access, func(context.Context) error { stated = true; return nil }); err == nil || stated {
		t.Errorf("stated %v what the ledger refuses: %v", stated, err)
	}
	if rows, err := s.ledger.AuditStatements(t.Context()); err != nil || len(rows) != 0 {
		t.Errorf("rows %+v, %v", rows, err)
	}
	access.Reason = "case"
	if err := s.ledger.AddAccess(t.Context(), access, stateNothing); err != nil {
		t.Error(err)
	}
	if rows, err := s.ledger.AuditStatements(t.Context()); err != nil || len(rows) != 1 || rows[0].Access.Reason != "case" {
		t.Errorf("rows %+v, %v", rows, err)
	}
}
