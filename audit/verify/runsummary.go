package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// summary compares summary.json with what outcomes and images add up to.
func (r *runInspection) summary(_ context.Context, in io.Reader) (problem, err error) {
	var s manifest.Summary
	decoder := json.NewDecoder(io.LimitReader(in, audit.LargestSmall))
	if err := decoder.Decode(&s); err != nil {
		return fmt.Errorf("it is no summary: %w", err), nil
	}
	var users int64
	for _, state := range store.States {
		users += s.Users[string(state)]
	}
	switch {
	case s.RunID != r.run.ID || s.Kind != r.run.Kind || s.Status != r.run.Status:
		return fmt.Errorf("it speaks of the %s run %q, %s; the ledger has the %s run %q, %s", s.Kind, s.RunID, s.Status, r.run.Kind, r.run.ID, r.run.Status), nil
	case !s.StartedAt.Equal(manifest.Time(r.run.StartedAt)):
		return errors.New("its started_at is not the ledger's"), nil
	case users != s.Users["total"]:
		return fmt.Errorf("its states add up to %d users, its total is %d", users, s.Users["total"]), nil
	case !maps.Equal(present(s.Outcomes), present(r.run.Outcomes)):
		return fmt.Errorf("its outcomes are %v, the ledger has %v", present(s.Outcomes), present(r.run.Outcomes)), nil
	case !maps.Equal(present(s.Failures), present(r.run.Failures)):
		return fmt.Errorf("its failures are %v, the ledger has %v", present(s.Failures), present(r.run.Failures)), nil
	case s.Images != r.run.Images || s.Bytes != r.run.Bytes:
		return fmt.Errorf("it states %d images of %d bytes, the ledger has %d of %d", s.Images, s.Bytes, r.run.Images, r.run.Bytes), nil
	}
	return nil, nil
}

func present[K comparable](counts map[K]int64) map[K]int64 {
	some := maps.Clone(counts)
	maps.DeleteFunc(some, func(_ K, n int64) bool { return n == 0 })
	return some
}
