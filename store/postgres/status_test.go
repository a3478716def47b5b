package postgres_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
)

func sha(digit byte) string { return strings.Repeat(string(digit), 64) }

func TestStatus(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 4)
	s.mustSync(t, "r")
	tasks := s.claim(t, store.Run{ID: "r"}, "p-r", 3)
	gone := done(tasks[1], "r", store.OutcomeFailed)
	gone.Class, gone.NextDue = store.ClassGone, time.Hour
	for _, result := range []store.Result{sixImages(done(tasks[0], "r", store.OutcomeArchived)), gone} {
		if err := s.ledger.Commit(t.Context(), "p-r", result); err != nil {
			t.Fatal(err)
		}
	}
	status, err := s.ledger.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := map[store.State]int64{store.StatePending: 2, store.StateArchived: 1, store.StateFailed: 1}; !maps.Equal(status.Users, want) || status.UsersTotal != 4 {
		t.Errorf("users = %v", status.Users)
	}
	if len(status.Failures) != 1 || status.Failures[0].Class != store.ClassGone || status.Failures[0].Users != 1 {
		t.Errorf("failures = %v", status.Failures)
	}
	if len(status.Runs) != 1 || status.Runs[0].Images != 6 || status.Runs[0].Outcomes[store.OutcomeFailed] != 1 || status.Runs[0].Requests != 2 {
		t.Errorf("runs = %+v", status.Runs)
	}
	var lasting string
	s.scan(t, []any{&lasting}, `SELECT lasting FROM archive.failures WHERE class = 'gone'`)
	if lasting != "settled" {
		t.Errorf("gone is %s", lasting)
	}

	user, err := s.ledger.UserStatus(t.Context(), "user-2")
	if err != nil || user.State != store.StateFailed || user.LastClass != store.ClassGone || user.NextDueAt.IsZero() || len(user.Outcomes) != 1 {
		t.Errorf("user-2 = %+v, %v", user, err)
	}
	user, err = s.ledger.UserStatus(t.Context(), "user-3")
	if err != nil || user.LeaseProcess != "p-r" || user.DueReason != store.DueNew {
		t.Errorf("user-3 = %+v, %v", user, err)
	}
	if _, err := s.ledger.UserStatus(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// A finding counts until a later one of the same kind; what is stored always does.
func TestCurrentImages(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	subject := s.key.Subject("u")
	for n, state := range []string{"failed", "stored", "rejected", "failed"} {
		key, digest := "", ""
		if state == "stored" {
			key, digest = "k", sha('1')
		}
		s.exec(t, `INSERT INTO archive.images (subject, transaction_id, kind, state, key, sha256, run_id, bytes) VALUES ($1, 't-1', 'id_front', $2, $3, $4, 'r', $5)`,
			subject, state, key, digest, n)
	}
	var states string
	s.scan(t, []any{&states}, `SELECT string_agg(state || bytes, ' ' ORDER BY image_id) FROM archive.current_images`)
	if states != "stored1 failed3" {
		t.Errorf("current images: %s", states)
	}
}
