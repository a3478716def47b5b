package progress

import (
	"context"
	"time"
)

// Repeat calls show every interval, the first time after one. The returned
// function ends that and waits for the last call.
func Repeat(ctx context.Context, interval time.Duration, show func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				show(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
