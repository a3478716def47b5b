package main

import (
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// statedUser is the state of a user as --json has it.
type statedUser struct {
	Subject      store.Subject   `json:"subject"`
	State        store.State     `json:"state"`
	Class        store.Class     `json:"class"`
	Why          string          `json:"why"`
	Next         string          `json:"next"`
	FirstSeenAt  *time.Time      `json:"first_seen_at"`
	VerifiedAt   *time.Time      `json:"verified_at"`
	LeftAt       *time.Time      `json:"left_at"`
	ArchivedAt   *time.Time      `json:"archived_at"`
	UnlistedAt   *time.Time      `json:"unlisted_at"`
	Attempts     int             `json:"attempts"`
	NextDueAt    *time.Time      `json:"next_due_at"`
	DueReason    store.DueReason `json:"due_reason"`
	LeaseProcess string          `json:"lease_process"`
	Accepted     *statedAccepted `json:"accepted"`
	// Holder is the user under whom the newest verification is filed, when that is
	// another one.
	Holder        *statedHolder        `json:"holder"`
	Verifications []statedVerification `json:"verifications"`
	Outcomes      []statedOutcome      `json:"outcomes"`
	Records       []statedRecord       `json:"records"`
}

// statedAccepted says that a person has accepted what the user lacks.
type statedAccepted struct {
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Reason   string    `json:"reason"`
	AuditKey string    `json:"audit_key"`
}

type statedHolder struct {
	Subject store.Subject `json:"subject"`
	UserID  string        `json:"user_id"`
	LeftAt  *time.Time    `json:"left_at"`
}

// statedVerification is a verification of the user; TransactionID is null when
// Vlens names none.
type statedVerification struct {
	TransactionID *string              `json:"transaction_id"`
	Newest        bool                 `json:"newest"`
	Stored        int                  `json:"stored"`
	Missing       []store.MissingImage `json:"missing"`
	RecordKey     *string              `json:"record_key"`
	ArchivedAt    *time.Time           `json:"archived_at"`
	TriedAt       *time.Time           `json:"tried_at"`
	Class         store.Class          `json:"class"`
}

type statedOutcome struct {
	RunID         string        `json:"run_id"`
	Outcome       store.Outcome `json:"outcome"`
	Class         store.Class   `json:"class"`
	TransactionID *string       `json:"transaction_id"`
	Requests      int           `json:"requests"`
	EndedAt       time.Time     `json:"ended_at"`
}

type statedRecord struct {
	Key        string    `json:"key"`
	VersionID  string    `json:"version_id"`
	SHA256     string    `json:"sha256"`
	ArchivedAt time.Time `json:"archived_at"`
}

func stateUser(user store.UserStatus, row string, now time.Time) statedUser {
	stated := statedUser{
		Subject: user.Subject, State: user.State, Class: user.LastClass, Why: why(user, row), Next: next(user, now),
		FirstSeenAt: moment(user.FirstSeenAt), VerifiedAt: moment(user.VerifiedAt), LeftAt: moment(user.LeftAt), ArchivedAt: moment(user.ArchivedAt),
		UnlistedAt: moment(user.UnlistedAt),
		Attempts:   user.Attempts, NextDueAt: moment(user.NextDueAt), DueReason: user.DueReason, LeaseProcess: user.LeaseProcess,
		Verifications: make([]statedVerification, 0, len(user.Verifications)),
		Outcomes:      make([]statedOutcome, 0, len(user.Outcomes)),
		Records:       make([]statedRecord, 0, len(user.Records)),
	}
	if a := user.Accepted; a != nil {
		stated.Accepted = &statedAccepted{manifest.Time(a.At), a.Actor, a.Reason, a.AuditKey}
	}
	if holder := user.Holder; holder != nil {
		stated.Holder = &statedHolder{holder.Subject, holder.UserID, moment(holder.LeftAt)}
	}
	for _, v := range user.Verifications {
		line := statedVerification{
			TransactionID: manifest.TransactionID(v.Transaction), Newest: v.Newest, Stored: v.Stored, Missing: append([]store.MissingImage{}, v.Missing...),
			ArchivedAt: moment(v.Record.ArchivedAt), TriedAt: moment(v.TriedAt), Class: v.Class,
		}
		if v.Record.Key != "" {
			line.RecordKey = &v.Record.Key
		}
		stated.Verifications = append(stated.Verifications, line)
	}
	for _, o := range user.Outcomes {
		stated.Outcomes = append(stated.Outcomes, statedOutcome{o.RunID, o.Outcome, o.Class, manifest.TransactionID(o.Transaction), o.Requests, manifest.Time(o.EndedAt)})
	}
	for _, r := range user.Records {
		stated.Records = append(stated.Records, statedRecord{r.Key, r.VersionID, r.SHA256, manifest.Time(r.ArchivedAt)})
	}
	return stated
}
