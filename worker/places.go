package worker

import (
	"context"
	"errors"
	"sync"
)

// places bound how many images are in flight. Each is a goroutine that outlives its
// images: a call of the AWS SDK nests a hundred frames, and a new goroutine grows its
// stack to that depth by copying it, which took a tenth of all CPU.
type places struct{ jobs chan func() }

func newPlaces() places { return places{jobs: make(chan func())} }

// open makes n places. The function closes them, when nobody waits for one any more.
func (p places) open(n int) (end func()) {
	var working sync.WaitGroup
	ended := make(chan struct{})
	for range n {
		working.Go(func() {
			for {
				select {
				case job := <-p.jobs:
					job()
				case <-ended:
					return
				}
			}
		})
	}
	return func() {
		close(ended)
		working.Wait()
	}
}

// do has the job done in a free place. After an error that ends the work on all users
// the place stays taken until that end: whoever took it until then would ask the
// vendor in vain.
func (p places) do(ctx, allUsers context.Context, job func() error) error {
	done := make(chan error, 1)
	inPlace := func() {
		err := job()
		done <- err
		if err != nil && stopsRun(err) && !errors.Is(err, errStopped) {
			<-allUsers.Done()
		}
	}
	select {
	case p.jobs <- inPlace:
		return <-done
	case <-ctx.Done():
		return ctx.Err()
	}
}
