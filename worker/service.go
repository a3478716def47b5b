package worker

import (
	"context"
	"log/slog"
	"time"
)

// triesOfItem is how often something is tried before the service is asked whether
// only this fails.
const triesOfItem = 3

// service is an outside service whose own errors say whether it is away: the
// bucket, or the databases.
type service struct {
	absence
	// probe asks the service something that must work, so that the failure of one
	// item can be told from an absence. It is nil for a service without items of
	// its own: what a database does not answer concerns everybody.
	probe func(context.Context) error
}

func newService(name string, bound time.Duration, log *slog.Logger) *service {
	return &service{absence: absence{service: name, bound: bound, log: log}}
}

// ask is service.try for an op that has a result.
func ask[T any](ctx context.Context, s *service, op func() (T, error)) (result T, err error) {
	err = s.try(ctx, func() (err error) {
		result, err = op()
		return err
	})
	return result, err
}

// try does op until the service is there, with growing waits between the tries.
// Once it was away for the bound, that is an *OutageError. If it answers the probe
// and op fails all the same, the failure is op's own and is returned.
func (s *service) try(ctx context.Context, op func() error) error {
	return s.tryUntil(ctx, s.stop, op)
}

// tryAtStop is try for what is written although the process is to stop. The end
// of ctx bounds it.
func (s *service) tryAtStop(ctx context.Context, op func() error) error {
	return s.tryUntil(ctx, nil, op)
}

func (s *service) tryUntil(ctx context.Context, stop <-chan struct{}, op func() error) error {
	waits := s.waits(stop)
	for tries := 1; ; tries++ {
		last := s.probe != nil && tries == triesOfItem
		if last {
			wasAway, err := s.awaitAnswer(ctx, waits)
			if err != nil {
				return err
			}
			if wasAway { // of the tries before, op is not to blame
				tries, last, waits.next = 1, false, firstWait
			}
		}
		err := op()
		switch {
		case !storeAway(ctx, err):
			return err
		case ctx.Err() != nil:
			return endOf(ctx)
		case last: // the service answers
			return err
		}
		if err := waits.after(ctx, err); err != nil {
			return err
		}
	}
}

// awaitAnswer returns once the service answers the probe, and reports whether it
// was away before.
func (s *service) awaitAnswer(ctx context.Context, waits *waits) (wasAway bool, err error) {
	for {
		err := s.probe(ctx)
		switch {
		case !storeAway(ctx, err):
			return wasAway, nil
		case ctx.Err() != nil:
			return wasAway, endOf(ctx)
		}
		wasAway = true
		if err := waits.after(ctx, err); err != nil {
			return wasAway, err
		}
	}
}
