package storetest

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"vlens-archiver/store"
)

// Sync merges the rows of the user query, once for a run.
func (l *MemoryLedger) Sync(_ context.Context, request store.SyncRequest) (store.SyncResult, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	run := l.runs[request.RunID]
	switch {
	case run == nil:
		return store.SyncResult{}, fmt.Errorf("no run %q", request.RunID)
	case run.synced != nil:
		return *run.synced, nil
	case !l.live(request.Process):
		return store.SyncResult{}, store.ErrProcessLost
	}
	if positions := l.unknown(run.Selection.UserIDs, request.Key); len(positions) > 0 {
		return store.SyncResult{}, fmt.Errorf("%w: at position %s", store.ErrSelection, strings.Join(positions, ", "))
	}
	result := l.merge(request)
	if run.Selection.Chosen() {
		run.chosenUsers = l.choose(run.Selection, request.Key)
	}
	run.synced = &result
	return result, nil
}

// unknown are the positions of ids that neither source nor ledger has.
func (l *MemoryLedger) unknown(ids []string, key store.SubjectKey) []string {
	there := make(map[string]bool)
	for _, user := range l.source {
		there[user.ID] = true
	}
	var positions []string
	for n, id := range ids {
		if !there[id] && l.subjects[key.Subject(id)] == nil {
			positions = append(positions, fmt.Sprint(n+1))
		}
	}
	return positions
}

func (l *MemoryLedger) merge(request store.SyncRequest) store.SyncResult {
	now := l.now()
	result := store.SyncResult{Users: int64(len(l.source))}
	missing := maps.Clone(l.subjects)
	present := int64(0)
	maps.DeleteFunc(missing, func(_ store.Subject, s *memorySubject) bool { return s.left })
	present = int64(len(missing))
	namesAny := false // a row, until now
	for _, s := range l.subjects {
		namesAny = namesAny || s.user.TransactionID != ""
	}
	for _, user := range l.source {
		subject := request.Key.Subject(user.ID)
		delete(missing, subject)
		there := l.subjects[subject]
		reason := store.DueChanged
		switch {
		case there == nil:
			result.New++
			reason = store.DueNew
			there = &memorySubject{subject: subject, state: store.StatePending, firstSeen: now}
			l.subjects[subject] = there
		case there.left:
			result.Returned++
			reason = store.DueReturned
		case !there.user.VerifiedAt.Equal(user.VerifiedAt) || there.user.TransactionID != user.TransactionID:
			if !l.callsForWork(there, user, namesAny) {
				there.user = user
				continue
			}
			result.Changed++
		default:
			there.user = user
			continue
		}
		there.user, there.left, there.attempts, there.due, there.reason = user, false, 0, &now, reason
		there.version++
	}
	if n := int64(len(missing)); n > 20 && n*100 > present*5 && !request.AcceptLeft {
		result.LeftHeld = n
		return result
	}
	for _, subject := range missing {
		subject.left = true
		result.Left++
	}
	return result
}

// callsForWork reports whether the change of a user's row makes the user due: every
// change does, except a first date of before the user was last found complete, a
// transaction that is archived, and, of those archived without one, the first
// transactions that any row names.
func (l *MemoryLedger) callsForWork(s *memorySubject, user store.User, namesAny bool) bool {
	before, after := s.user.VerifiedAt, user.VerifiedAt
	if !after.IsZero() && !after.Equal(before) && (!before.IsZero() || after.After(s.archived)) {
		return true
	}
	transaction := user.TransactionID
	if transaction == "" || transaction == s.user.TransactionID {
		return false
	}
	if s.state == store.StateArchived && (s.newest == transaction || !namesAny && strings.HasPrefix(s.newest, store.UnnamedPrefix)) {
		return false
	}
	for _, run := range l.runs {
		if outcome, there := run.outcomes[s.subject]; there && outcome.Transaction == transaction && outcome.Standing().Complete {
			return false
		}
	}
	return true
}

func (l *MemoryLedger) choose(selection store.Selection, key store.SubjectKey) map[store.Subject]bool {
	chosen := make(map[store.Subject]bool)
	for _, id := range selection.UserIDs {
		chosen[key.Subject(id)] = true
	}
	if !selection.Filtered() {
		return chosen
	}
	for _, s := range l.subjects {
		failing := s.state == store.StateFailed || s.state == store.StatePartial
		verified := s.user.VerifiedAt
		chosen[s.subject] = !s.left &&
			(failing || !selection.Failed && selection.FailedClass == store.ClassNone) &&
			(selection.FailedClass == store.ClassNone || s.class == selection.FailedClass) &&
			(selection.Since.IsZero() || !verified.IsZero() && !verified.Before(selection.Since)) &&
			(selection.Until.IsZero() || !verified.IsZero() && verified.Before(selection.Until))
	}
	return chosen
}

// Lookup returns the rows of these users.
func (l *MemoryLedger) Lookup(_ context.Context, ids []string) (map[string]store.User, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted := make(map[string]bool)
	for _, id := range ids {
		wanted[id] = true
	}
	users := make(map[string]store.User)
	for _, user := range l.source {
		if wanted[user.ID] {
			users[user.ID] = user
		}
	}
	return users, nil
}
