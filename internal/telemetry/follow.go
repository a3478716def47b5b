package telemetry

import (
	"context"
	"time"

	"vlens-archiver/store"
)

const (
	// figuresEvery is the time between two readings of the figures, for which the
	// ledger goes through all users.
	figuresEvery = 5 * time.Minute
	// lastReadTimeout bounds the reading at the end, when a ledger that is away
	// must not keep the process.
	lastReadTimeout = 2 * time.Second
)

// Sources are read now and then.
type Sources struct {
	Figures func(context.Context) (store.Figures, error)
	// Quota reads the quota in use; nil without a quota.
	Quota func(context.Context) (store.QuotaUse, error)
}

// Follow reads the sources now and then until the returned function is called,
// which reads them a last time, so that what is pushed at the end is how things
// stand then. A source that cannot be read keeps its last reading.
func (t *Telemetry) Follow(ctx context.Context, sources Sources) (stop func(context.Context)) {
	if t == nil {
		return func(context.Context) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.readFigures(ctx, sources)
		t.readQuota(ctx, sources)
		// The first push, with what begins at 0: of a run that is over before the
		// next one, the collector sees a rise.
		t.pushNow(ctx)
		t.keepReading(ctx, sources)
	}()
	return func(ctx context.Context) {
		cancel()
		<-ended
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastReadTimeout)
		defer cancel()
		t.readFigures(ctx, sources)
		t.readQuota(ctx, sources)
	}
}

func (t *Telemetry) keepReading(ctx context.Context, sources Sources) {
	figures, quota := time.NewTicker(figuresEvery), time.NewTicker(pushEvery)
	defer figures.Stop()
	defer quota.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-figures.C:
			t.readFigures(ctx, sources)
		case <-quota.C:
			t.readQuota(ctx, sources)
		}
	}
}

func (t *Telemetry) readFigures(ctx context.Context, sources Sources) {
	if figures, err := sources.Figures(ctx); err == nil {
		t.archive.setFigures(figures)
	}
}

func (t *Telemetry) readQuota(ctx context.Context, sources Sources) {
	if sources.Quota == nil {
		return
	}
	if use, err := sources.Quota(ctx); err == nil {
		t.archive.setQuota(use)
	}
}
