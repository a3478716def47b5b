package verify

import (
	"context"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// heldObjects of one subject are held at a time: far more than any subject has.
const heldObjects = 20_000

// unit is one subject: what the bucket lists of it, and what the ledger says.
type unit struct {
	subject store.Subject
	objects []audit.Versions
	rows    store.SubjectRows
}

// takeSubject collects the listing of the next subject; of nobody at the end.
// Objects in between that belong to no subject go to report.
func (v *Verifier) takeSubject(l *listing, report func(...Finding)) (unit, error) {
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
				report(Finding{Unexpected, o.Key, "the layout of an archive has no such key"})
			}
			continue
		}
		u.subject = parts.Subject
		u.objects = append(u.objects, o)
	}
}

// reportedBefore is for a listing that is read a second time.
func reportedBefore(...Finding) {}

func (v *Verifier) listSubject(ctx context.Context, subject store.Subject, report func(...Finding)) (unit, error) {
	l := v.list(ctx, v.Layout.Subject(subject))
	defer l.close()
	u, err := v.takeSubject(l, report)
	u.subject = subject
	return u, err
}
