package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"vlens-archiver/store"
	"vlens-archiver/store/window"
)

// errQuotaClosed says that the quota was closed while a slot was asked for.
var errQuotaClosed = errors.New("quota is closed")

// releaseDelay is how long the ledger may not know of a response. It costs
// nothing as long as it is well below a second: the slot stays taken for the
// windows in any case, and they are counted from the response itself.
const releaseDelay = 250 * time.Millisecond

// QuotaConfig says whose limits are shared, and what this process must obey.
type QuotaConfig struct {
	BaseURL string // with Tenancy the name of the quota
	Tenancy string
	Process string // for people who read the row; need not be unique
	// PerSecond and PerMinute are requests in any window of that length; 0 means
	// no limit. Margin is added to both windows.
	PerSecond int
	PerMinute int
	Margin    time.Duration
	// RunPerMinute is a further limit, shared by the processes of the run; 0
	// means none.
	RunID        string
	RunPerMinute int
}

func (c QuotaConfig) limits() window.Limits {
	limits := window.Limits{
		PerShort: c.PerSecond,
		PerLong:  c.PerMinute,
		// Rounded up to whole milliseconds.
		Margin: window.Millis(c.Margin + time.Millisecond - 1),
	}
	if c.RunPerMinute > 0 {
		limits.Run, limits.PerLongOfRun = c.RunID, c.RunPerMinute
	}
	return limits
}

// Quota is one process's share in the vendor's request limits. A goroutine of
// its own writes to the shared row, in one exchange, everything that happened in
// the process since the last one. Close ends it.
type Quota struct {
	row    quotaRow
	id     string // of this member; never used again
	limits window.Limits
	rules  window.Rules

	wake  chan struct{}      // due has changed
	stop  context.CancelFunc // ends the goroutine
	ended chan struct{}      // closed by the goroutine

	mu         sync.Mutex
	due        time.Time // of the next exchange
	lastTicket int64
	waiting    []*slotAsk // oldest first
	flying     map[int64]struct{}
	answered   []answered    // not in the row yet
	idle       chan struct{} // closed when nothing is flying; nil unless Close waits for it
	closed     bool
}

// slotAsk is one Acquire that waits. Err is set before ready is closed.
type slotAsk struct {
	ticket int64
	since  time.Time
	ready  chan struct{}
	err    error
}

type answered struct {
	ticket int64
	at     time.Time
}

// NewQuota joins the quota of a tenant. At least one limit must be set. Close
// must be called.
func NewQuota(pool *pgxpool.Pool, cfg QuotaConfig) *Quota {
	return startQuota(pool, cfg, window.Standard)
}

func startQuota(pool *pgxpool.Pool, cfg QuotaConfig, rules window.Rules) *Quota {
	ctx, stop := context.WithCancel(context.Background())
	q := &Quota{
		row:    quotaRow{pool: pool, baseURL: cfg.BaseURL, tenancy: cfg.Tenancy},
		id:     cfg.Process + "/" + rand.Text()[:8],
		limits: cfg.limits(),
		rules:  rules,
		wake:   make(chan struct{}, 1),
		stop:   stop,
		ended:  make(chan struct{}),
		due:    time.Now().Add(rules.Beat.Duration()),
		flying: make(map[int64]struct{}),
	}
	go q.work(ctx)
	return q
}

// Acquire waits for its turn to send one request. Release must be called when
// the response is over or has failed; from then on the slot is held for the
// windows. When ctx ends first, its error is returned and the slot, if it was
// granted at the same moment, is taken back as never used.
//
// An error that wraps store.ErrUnavailable means that the ledger did not answer
// for several tries; store.ErrDenied and store.ErrSchema come at once.
func (q *Quota) Acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ask, err := q.enqueue()
	if err != nil {
		return nil, err
	}
	select {
	case <-ask.ready:
		if ask.err != nil {
			return nil, ask.err
		}
		return sync.OnceFunc(func() { q.release(ask.ticket) }), nil
	case <-ctx.Done():
		q.withdraw(ask)
		return nil, ctx.Err()
	}
}

// CoolDown lets all processes know that the vendor refused a request as one too
// many: nothing is granted for RetryAfter, and at least for five seconds, which
// double up to fifteen minutes while throttle replies go on. Then the rate grows
// back within a minute, from single requests to all of it. It returns as soon as
// the ledger knows. RetryAfter is 0 when the vendor did not say.
func (q *Quota) CoolDown(ctx context.Context, retryAfter time.Duration) error {
	// Others depend on it, also when ctx ends now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), quotaPatience)
	defer cancel()
	for retry := firstQuotaRetry; ; retry = min(2*retry, lastQuotaRetry) {
		err := q.row.change(ctx, func(state *window.State, clock clockReading) bool {
			state.CoolDown(clock.at, q.rules, window.Millis(retryAfter))
			return true
		})
		if !errors.Is(err, store.ErrUnavailable) || pause(ctx, jittered(retry)) != nil {
			return err
		}
	}
}

// Use is how much of the quota is taken now.
func (q *Quota) Use(ctx context.Context) (store.QuotaUse, error) {
	return q.row.use(ctx, q.rules, q.limits.Run)
}

// Close waits for the responses that are still out, as long as ctx allows, and
// leaves the quota. Asks that wait end with errQuotaClosed. When the ledger
// does not answer, the others notice the silence after a minute.
func (q *Quota) Close(ctx context.Context) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		<-q.ended
		return nil
	}
	q.closed = true
	q.fail(errQuotaClosed, 0)
	idle := make(chan struct{})
	q.idle = idle
	q.signalIdle()
	q.mu.Unlock()

	select {
	case <-idle:
	case <-ctx.Done():
	}
	q.stop()
	<-q.ended

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	if _, err := q.exchange(ctx, true); err != nil {
		return fmt.Errorf("leave quota: %w", err)
	}
	return nil
}

func (q *Quota) enqueue() (*slotAsk, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, errQuotaClosed
	}
	q.lastTicket++
	ask := &slotAsk{ticket: q.lastTicket, since: time.Now(), ready: make(chan struct{})}
	q.waiting = append(q.waiting, ask)
	q.exchangeWithin(0)
	return ask, nil
}

// withdraw forgets an ask. If the row holds a slot for it, the next exchange
// gives the slot back.
func (q *Quota) withdraw(ask *slotAsk) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(a *slotAsk) bool { return a == ask })
	delete(q.flying, ask.ticket)
	q.exchangeWithin(0)
	q.signalIdle()
}

func (q *Quota) release(ticket int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.flying, ticket)
	q.answered = append(q.answered, answered{ticket, time.Now()})
	q.exchangeWithin(releaseDelay)
	q.signalIdle()
}

// fail ends what has waited for the patience or longer. Q.mu is held.
func (q *Quota) fail(err error, patience time.Duration) {
	q.waiting = slices.DeleteFunc(q.waiting, func(ask *slotAsk) bool {
		over := time.Since(ask.since) >= patience
		if over {
			ask.err = err
			close(ask.ready)
		}
		return over
	})
}

// signalIdle wakes Close when nothing is flying any more. Q.mu is held.
func (q *Quota) signalIdle() {
	if q.idle != nil && len(q.flying) == 0 {
		close(q.idle)
		q.idle = nil
	}
}

// exchangeWithin makes sure that the goroutine exchanges soon. Q.mu is held.
func (q *Quota) exchangeWithin(delay time.Duration) {
	due := time.Now().Add(delay)
	if !due.Before(q.due) {
		return
	}
	q.due = due
	select {
	case q.wake <- struct{}{}:
	default: // it is going to look already
	}
}
