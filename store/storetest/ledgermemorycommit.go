package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"vlens-archiver/store"
)

// Known is what is known of a subject; it reserves the verification.
func (l *MemoryLedger) Known(_ context.Context, subject store.Subject, transaction string, first store.Ref) (store.Known, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := store.Known{Owner: subject}
	if reservation := store.Reservation(transaction, first); reservation != "" {
		if owner, reserved := l.transactions[reservation]; !reserved || owner != subject && l.abandoned(owner, reservation) {
			l.transactions[reservation] = subject
		}
		known.Owner = l.transactions[reservation]
	}
	for _, image := range l.images {
		if image.subject == subject && image.State == store.ImageStored {
			known.Images = append(known.Images, store.StoredImage{Transaction: image.transaction, Image: image.Image})
		}
		if image.subject == subject && image.transaction == transaction && image.State != store.ImageStored && image.State != store.ImageAbsent {
			known.Findings = append(known.Findings, store.Finding{Image: image.Image, Age: l.now().Sub(image.found)})
		}
	}
	for _, record := range l.records {
		if record.subject != subject {
			continue
		}
		known.Records = append(known.Records, record.RecordRef)
		if record.Transaction == transaction && record.Sequence > known.Record.Sequence {
			known.Record = record.RecordRef
		}
	}
	slices.SortFunc(known.Records, func(a, b store.RecordRef) int {
		return cmp.Or(cmp.Compare(a.Transaction, b.Transaction), cmp.Compare(a.Sequence, b.Sequence))
	})
	return known, nil
}

func (l *MemoryLedger) abandoned(owner store.Subject, reservation string) bool {
	holds := slices.ContainsFunc(l.images, func(image memoryImage) bool {
		return image.subject == owner && image.State == store.ImageStored &&
			(image.transaction == reservation || store.Reservation(store.UnnamedPrefix, image.Ref) == reservation)
	})
	s := l.subjects[owner]
	return !holds && (s == nil || !l.live(s.leasedBy))
}

// Commit writes one finished user, or nothing and store.ErrLeaseLost.
func (l *MemoryLedger) Commit(_ context.Context, process string, result store.Result) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if result.LeaseToken == 0 {
		l.t.Errorf("commit of subject %s without a lease token", result.Subject)
		return store.ErrLeaseLost
	}
	run, s := l.runs[result.RunID], l.subjects[result.Subject]
	if before, there := run.outcomes[result.Subject]; there {
		if before.process == process && before.LeaseToken == result.LeaseToken {
			return nil
		}
		return store.ErrLeaseLost
	}
	if s == nil || s.leasedBy != process || s.token != result.LeaseToken || run.closingBegun() {
		return store.ErrLeaseLost
	}
	writes := len(result.Images) > 0 || len(result.NewRecords) > 0
	if owner := l.transactions[result.Transaction]; writes && store.NamedTransaction(result.Transaction) && owner != result.Subject {
		l.t.Errorf("commit of subject %s files images under a transaction of subject %q", result.Subject, owner)
		return store.ErrLeaseLost
	}
	if !l.addHistory(result) {
		return errors.New("history would change")
	}

	run.outcomes[result.Subject] = memoryOutcome{Result: result, process: process}
	standing := result.Standing()
	s.state, s.class, s.settled, s.newest, s.unlisted = standing.State, standing.Class, standing.Settled, standing.Newest, standing.Unlisted
	if standing.Complete {
		if s.archived = l.now(); result.StartedAt.Before(s.archived) {
			s.archived = result.StartedAt
		}
	}
	if s.version == s.leased { // else its row changed meanwhile, and it stays due
		s.attempts, s.reason, s.due = standing.Attempts, standing.DueReason, nil
		if result.NextDue >= 0 {
			due := l.now().Add(result.NextDue)
			s.due = &due
		}
	}
	s.leasedBy, s.leaseRun = "", ""
	return nil
}

// addHistory adds images and records, and reports whether nothing that is there
// contradicts them.
func (l *MemoryLedger) addHistory(result store.Result) bool {
	images := slices.Clone(result.Earlier)
	for _, image := range result.Images {
		images = append(images, store.StoredImage{Transaction: result.Transaction, Image: image})
	}
	for _, image := range images {
		there := slices.IndexFunc(l.images, func(other memoryImage) bool {
			return image.State == store.ImageStored && other.State == store.ImageStored && other.Key == image.Key
		})
		if there >= 0 && l.images[there].SHA256 != image.SHA256 {
			l.t.Errorf("commit of subject %s changes the image under %q", result.Subject, image.Key)
			return false
		}
		if there < 0 || l.images[there].Ref != image.Ref {
			l.images = append(l.images, memoryImage{Image: image.Image, subject: result.Subject, transaction: image.Transaction, run: result.RunID, found: l.now()})
		}
	}
	for _, record := range result.NewRecords {
		there := slices.IndexFunc(l.records, func(other memoryRecord) bool { return other.Key == record.Key })
		switch {
		case there < 0:
			l.records = append(l.records, memoryRecord{RecordRef: record, subject: result.Subject, run: result.RunID})
			l.log.wait(store.EntryRecord, record.Key, record.SHA256)
		case l.records[there].SHA256 != record.SHA256:
			l.t.Errorf("commit of subject %s changes the record under %q", result.Subject, record.Key)
			return false
		}
	}
	return true
}
