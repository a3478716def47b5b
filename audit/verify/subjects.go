package verify

import (
	"context"
	"iter"
	"strings"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// heldObjects of one subject are held at a time: far more than any subject has.
const heldObjects = 20_000

// rereads is how often a subject that looks wrong is looked at again before it
// is a finding: a run may be at work on it.
const rereads = 3

// unit is one subject: what the bucket lists of it, and what the ledger says.
type unit struct {
	subject store.Subject
	objects []audit.Versions
	rows    store.SubjectRows
}

// checkSubjects walks the listing of subjects and the ledger's subjects, which
// are in the same order, side by side, and checks each subject.
func (v *Verifier) checkSubjects(ctx context.Context, l *listing) error {
	return v.inParallel(ctx, func(ctx context.Context, hand func(unit) error) error {
		rows, stop := iter.Pull2(v.Ledger.AuditSubjects(ctx, store.AuditScope{}))
		defer stop()
		known, err, more := rows()
		if err != nil {
			return err
		}
		for {
			listed, err := v.takeSubject(l, v.found.add)
			if err != nil {
				return err
			}
			for more && (listed.subject == "" || known.Subject < listed.subject) {
				if err := hand(unit{subject: known.Subject, rows: known}); err != nil {
					return err
				}
				if known, err, more = rows(); err != nil {
					return err
				}
			}
			if listed.subject == "" {
				return nil
			}
			if more && known.Subject == listed.subject {
				listed.rows = known
				if known, err, more = rows(); err != nil {
					return err
				}
			}
			if err := hand(listed); err != nil {
				return err
			}
		}
	})
}

// takeSubject collects the listing of the next subject; of nobody at the end. What
// stands between and cannot belong to a subject is told.
func (v *Verifier) takeSubject(l *listing, tell func(...Finding)) (unit, error) {
	var u unit
	for {
		o, ok, err := l.takeIf(func(key string) bool {
			parts, ours := v.Layout.ParseSubjectObject(key)
			if !ours {
				return strings.HasPrefix(key, v.Layout.Subjects())
			}
			return u.subject == "" || parts.Subject == u.subject
		})
		if err != nil || !ok {
			return u, err
		}
		parts, ours := v.Layout.ParseSubjectObject(o.Key)
		if !ours || len(u.objects) == heldObjects {
			if _, there := o.Latest(); there {
				tell(Finding{Unexpected, o.Key, "the layout of an archive has no such key"})
			}
			continue
		}
		u.subject = parts.Subject
		u.objects = append(u.objects, o)
	}
}

// checkSomeSubjects checks the subjects in scope, each by a listing of its own.
func (v *Verifier) checkSomeSubjects(ctx context.Context) error {
	scope := store.AuditScope{RunID: v.RunID, Subject: v.Subject}
	return v.inParallel(ctx, func(ctx context.Context, hand func(unit) error) error {
		for rows, err := range v.Ledger.AuditSubjects(ctx, scope) {
			if err != nil {
				return err
			}
			u, err := v.listSubject(ctx, rows.Subject, v.found.add)
			if err != nil {
				return err
			}
			u.rows = rows
			if err := hand(u); err != nil {
				return err
			}
		}
		return nil
	})
}

func toldBefore(...Finding) {}

func (v *Verifier) listSubject(ctx context.Context, subject store.Subject, tell func(...Finding)) (unit, error) {
	l := v.list(ctx, v.Layout.Subject(subject))
	defer l.close()
	u, err := v.takeSubject(l, tell)
	u.subject = subject
	return u, err
}

// inParallel checks the units that produce hands over.
func (v *Verifier) inParallel(ctx context.Context, produce func(ctx context.Context, hand func(unit) error) error) error {
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
		if u, err = v.listSubject(ctx, u.subject, toldBefore); err != nil {
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
