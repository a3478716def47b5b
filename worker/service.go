package worker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// service is an outside service whose own errors say whether it is away: the
// bucket, or the databases.
type service struct {
	absence
	answered atomic.Int64 // Unix nanoseconds of the last answer to anybody
}

func newService(name string, bound time.Duration, log *slog.Logger) *service {
	return &service{absence: absence{service: name, bound: bound, log: log}}
}

// try does op until the service is there, with growing waits between the tries.
// Once it was away for the bound, that is an *OutageError; but if it answers
// others all the time, the error is about what op asked for, and is returned.
func (s *service) try(ctx context.Context, op func(context.Context) error) error {
	return s.tryUntil(ctx, s.stop, op)
}

// tryAtStop is try for what is written although the process is to stop. The end
// of ctx bounds it.
func (s *service) tryAtStop(ctx context.Context, op func(context.Context) error) error {
	return s.tryUntil(ctx, nil, op)
}

func (s *service) tryUntil(ctx context.Context, stop <-chan struct{}, op func(context.Context) error) error {
	var away, failed time.Time // the first failed try, and the last one
	wait := firstWait
	for tries := 1; ; tries++ {
		err := op(ctx)
		switch {
		case !storeAway(err):
			if ctx.Err() == nil { // one that was cancelled says nothing of the service
				s.answered.Store(time.Now().UnixNano())
			}
			return err
		case ctx.Err() != nil:
			return endOf(ctx)
		case away.IsZero():
			away = time.Now()
		}
		if outage := s.exceeded(away, err); outage != nil {
			if s.answered.Load() > failed.UnixNano() {
				return err
			}
			return outage
		}
		failed = time.Now()
		s.warn(tries, err)
		if err := s.wait(ctx, stop, wait); err != nil {
			return err
		}
		wait = min(2*wait, longWait)
	}
}
