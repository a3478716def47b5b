package progress

import (
	"context"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/worker"
)

// quotaEvery is the time between two looks at the quota, which is a question to
// the ledger.
const quotaEvery = 5 * time.Second

// Source is where the figures come from.
type Source struct {
	Snapshot func() worker.Snapshot
	// Quota reads the quota in use; nil without a quota.
	Quota func(context.Context) (store.QuotaUse, error)
	// PerMinute is the requests a minute that the run may make; 0 is no limit.
	PerMinute int
}

// observe reads the source every interval and gives each reading to show. The
// returned function ends that and waits.
func observe(ctx context.Context, source Source, interval time.Duration, show func(figures)) (stop func()) {
	m := meter{quotaPerMinute: source.PerMinute}
	m.read(time.Now(), source.Snapshot()) // the first rate counts from here
	var quota store.QuotaUse
	var asked time.Time
	return Repeat(ctx, interval, func(ctx context.Context) {
		if source.Quota != nil && time.Since(asked) >= quotaEvery {
			asked = time.Now()
			// A quota that cannot be read is shown as it was. The run itself
			// reports a ledger that is away.
			if use, err := source.Quota(ctx); err == nil {
				quota = use
			}
		}
		now := m.read(time.Now(), source.Snapshot())
		now.quota = quota
		show(now)
	})
}
