// Package audittest is an archive for the tests of audit and its rooms, and what
// can happen to one: objects that are removed, replaced or rewritten, rows of the
// ledger that are changed.
//
// Production code must not import this package.
package audittest

import (
	"testing"

	"vlens-archiver/audit/accept"
	"vlens-archiver/audit/export"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
)

// Archive is a company whose users are archived, with what those open who check
// the evidence, hand it out or fill a lost ledger. Its runs seal.
type Archive struct {
	*archivetest.Tenant
	Ledger *postgres.Ledger
	Bucket *bucket.Bucket
	Layout manifest.Layout
}

// New is an archive in which nothing is archived yet, in a bucket that keeps
// versions.
func New(t *testing.T, options vlenstest.Options) *Archive {
	t.Helper()
	return NewIn(t, s3server.Versioned, bucket.ObjectLock{}, options)
}

// NewIn is New in a bucket of that kind, with the lock that is put on each object.
func NewIn(t *testing.T, kind s3server.BucketKind, lock bucket.ObjectLock, options vlenstest.Options) *Archive {
	t.Helper()
	if options.ImageBytes == 0 {
		options.ImageBytes = 8 << 10
	}
	a := &Archive{Tenant: archivetest.NewTenantIn(t, kind, lock, options), Layout: manifest.Layout{Prefix: archivetest.Prefix}}
	a.Seals = true
	a.Bucket = a.OpenBucket()
	var err error
	if a.Ledger, err = postgres.OpenLedger(t.Context(), store.Sensitive(a.LedgerURL)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Ledger.Close)
	return a
}

// ExportedUser is the user whose evidence tests hand out, for this Reason.
const (
	ExportedUser = "u-000002"
	Reason       = "Central Bank request 2026/17"
)

// NewSealed has five users, one of them with two verifications and an image that
// is none, and all records in the log.
func NewSealed(t *testing.T) *Archive {
	t.Helper()
	a := New(t, vlenstest.Options{People: 5, ImageBytes: 9 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{ExportedUser: {Images: map[vlenstest.Kind]string{vlenstest.Face2: "not_image"}}},
	}})
	a.Run("first", nil)
	a.VerifyAgain(ExportedUser)
	a.Run("second", nil)
	return a
}

// VerifyAgain lets a user verify anew at the vendor.
func (a *Archive) VerifyAgain(userID string) {
	a.T.Helper()
	if err := a.Sim.Change(func(s *vlenstest.Scenario) {
		if s.Users == nil {
			s.Users = make(map[string]vlenstest.Rules)
		}
		rules := s.Users[userID]
		rules.Verification = max(1, rules.Verification) + 1
		s.Users[userID] = rules
	}); err != nil {
		a.T.Fatal(err)
	}
	a.LoadUsers()
}

// RunUnsealed is a run of a process without a signing key.
func (a *Archive) RunUnsealed(runID string) {
	a.T.Helper()
	a.Seals = false
	a.Run(runID, nil)
	a.Seals = true
}

// Identity is the archive as the configuration has it.
func (a *Archive) Identity() store.ArchiveIdentity {
	identity := archivetest.WorkerConfig("", a.Key(), "").Identity
	identity.Place = archivetest.BucketName + "/" + archivetest.Prefix
	return identity
}

// Exporter hands out the evidence.
func (a *Archive) Exporter() export.Exporter {
	return export.Exporter{
		Ledger: a.Ledger, Bucket: a.Bucket, Layout: a.Layout, Identity: a.Identity(), VerifierKey: archivetest.VerifierKey,
		Actor: "auditor@test", Tool: manifest.Tool{Version: "test", Commit: "none"},
	}
}

// Register keeps what is accepted.
func (a *Archive) Register() accept.Register {
	return accept.Register{
		Ledger: a.Ledger, Bucket: a.Bucket, Layout: a.Layout, Identity: a.Identity(),
		Account: "root@test", Tool: manifest.Tool{Version: "test", Commit: "none"},
	}
}

// Accept lets a person accept what users lack.
func (a *Archive) Accept(userIDs ...string) {
	a.T.Helper()
	act := store.Exception{Act: store.ExceptionAccepted, Reason: Reason, Actor: "Mona Adel"}
	if _, err := a.Register().Keep(a.T.Context(), act, store.ExceptionChoice{UserIDs: userIDs}); err != nil {
		a.T.Fatal(err)
	}
}

// SubjectOf is the subject of a user id.
func SubjectOf(userID string) store.Subject { return store.Subject(archivetest.SubjectOf(userID)) }
