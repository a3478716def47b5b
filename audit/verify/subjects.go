package verify

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
)

// rereads is how often a subject that looks wrong is looked at again before it
// is a finding: a run may be at work on it.
const rereads = 3

// checkSubjects compares the listing of subjects with the ledger's subjects.
func (v *Verifier) checkSubjects(ctx context.Context, l *listing) error {
	listed := func(yield func(unit, error) bool) {
		for {
			u, err := v.takeSubject(l, v.found.add)
			if err == nil && u.subject == "" || !yield(u, err) || err != nil {
				return
			}
		}
	}
	bySubject := func(rows store.SubjectRows, u unit) int { return cmp.Compare(rows.Subject, u.subject) }
	return v.inParallel(ctx, func(ctx context.Context, check func(unit) error) error {
		return sideBySide(v.Ledger.AuditSubjects(ctx, store.AuditScope{}), listed, bySubject, func(rows *store.SubjectRows, listed *unit) error {
			var u unit
			if listed != nil {
				u = *listed
			}
			if rows != nil {
				u.subject, u.rows = rows.Subject, *rows
			}
			return check(u)
		})
	})
}

// checkSomeSubjects checks the subjects in scope, each by a listing of its own.
func (v *Verifier) checkSomeSubjects(ctx context.Context) error {
	scope := store.AuditScope{RunID: v.RunID, Subject: v.Subject}
	return v.inParallel(ctx, func(ctx context.Context, check func(unit) error) error {
		for rows, err := range v.Ledger.AuditSubjects(ctx, scope) {
			if err != nil {
				return err
			}
			u, err := v.listSubject(ctx, rows.Subject, v.found.add)
			if err != nil {
				return err
			}
			u.rows = rows
			if err := check(u); err != nil {
				return err
			}
		}
		return nil
	})
}

// inParallel checks the units that produce passes to check.
func (v *Verifier) inParallel(ctx context.Context, produce func(ctx context.Context, check func(unit) error) error) error {
	group, ctx := errgroup.WithContext(ctx)
	units := make(chan unit, v.Parallel)
	group.Go(func() error {
		defer close(units)
		return produce(ctx, func(u unit) error {
			select {
			case units <- u:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for range v.Parallel {
		group.Go(func() error {
			for u := range units {
				if err := v.checkSubject(ctx, u); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// checkSubject checks one subject. When something looks wrong it reads ledger
// and listing again, in this order: what the ledger has, the bucket must have by
// then.
func (v *Verifier) checkSubject(ctx context.Context, u unit) error {
	sampled := v.sample.has(string(u.subject))
	i, err := v.inspect(ctx, u, sampled)
	for range rereads {
		if err != nil || len(i.found) == 0 {
			break
		}
		rows, readErr := v.Ledger.AuditSubject(ctx, u.subject)
		if readErr != nil {
			return readErr
		}
		if u, err = v.listSubject(ctx, u.subject, reportedBefore); err != nil {
			return err
		}
		u.rows = rows
		before := len(i.found)
		if i, err = v.inspect(ctx, u, sampled); err == nil && len(i.found) == before {
			break
		}
	}
	if err != nil {
		return err
	}
	v.found.add(i.found...)
	v.progress.subjects.Add(1)
	v.progress.underWay.Add(int64(i.underWay))
	v.progress.records.Add(int64(len(i.rows.Records)))
	v.progress.objects.Add(int64(len(i.rows.Records)))
	if !sampled {
		v.progress.skipped.Add(1)
	}
	for _, expected := range i.expectations {
		if err := v.checkContent(ctx, expected, sampled); err != nil {
			return err
		}
		v.progress.images.Add(1)
		v.progress.objects.Add(1)
	}
	return nil
}
