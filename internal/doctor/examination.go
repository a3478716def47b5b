package doctor

import (
	"context"
	"time"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens"
)

// examination is the state that the checks of one call share. Checks run one after
// the other; each uses what the checks that it needs have set.
type examination struct {
	setup    Setup
	statuses map[string]Status

	cfg    *config.Config
	key    store.SubjectKey
	ledger *postgres.Ledger
	source *postgres.Source
	server postgres.Server // of the ledger
	sample postgres.UserSample

	vendor     *vlens.Client
	quota      *postgres.Quota
	vendorSkew *skew

	bucket     *bucket.Bucket
	bucketSkew *skew
	versioned  bool
	lock       bucket.LockSetting
	canaries   *canaries
	begun      bool // the bucket has archive.json
}

// closeTimeout bounds what closing may take.
const closeTimeout = 10 * time.Second

// close removes the canaries and closes all that was opened, also when ctx has
// ended.
func (e *examination) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if e.canaries != nil {
		e.canaries.remove(ctx)
	}
	if e.vendor != nil {
		e.vendor.CloseIdleConnections()
	}
	if e.quota != nil {
		_ = e.quota.Close(ctx) // slots that are not given back expire
	}
	if e.source != nil {
		e.source.Close()
	}
	if e.ledger != nil {
		e.ledger.Close()
	}
}

// skew is how far this machine's clock is ahead of another, give or take.
type skew struct{ ahead, uncertain time.Duration }

// compareClocks is the skew by the time in an answer, which may have been written
// at any moment between asked and answered. A time in whole seconds may be up to a
// second too early: resolution is that second, or 0.
func compareClocks(asked, answered, there time.Time, resolution time.Duration) *skew {
	if there.IsZero() {
		return nil
	}
	// The instant of the answer is in [there, there+resolution) over there and in
	// [asked, answered] here.
	middle := asked.Add(answered.Sub(asked) / 2)
	return &skew{
		ahead:     middle.Sub(there.Add(resolution / 2)),
		uncertain: (answered.Sub(asked) + resolution) / 2,
	}
}

// tooLarge reports whether the clocks certainly differ by more than a run allows.
func (s *skew) tooLarge() bool { return s.ahead.Abs()-s.uncertain > store.LargestSkew }
