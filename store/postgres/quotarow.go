package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"vlens-archiver/store"
	"vlens-archiver/store/window"
)

// quotaRow is the row of archive.quota that all processes of a tenant share.
//
// It is read and then written over, if its version is still the one that was
// read: two statements, each a transaction of its own. Nobody ever holds a lock
// between two round trips, so a process that freezes in the middle blocks
// nobody, and a transaction pooler may serve each statement by another session.
// What was decided at the time of reading holds when it is written: nobody has
// changed anything in between, and slots only get free with time.
type quotaRow struct {
	pool    *pgxpool.Pool
	baseURL string
	tenancy string
}

// conflictDelay is the longest wait before the row is read again after another
// process was faster to write it.
const conflictDelay = 4 * time.Millisecond

// clockReading is the database's clock at some moment here.
type clockReading struct {
	asked, answered time.Time // here: before and after
	at              window.Instant
}

// here is the moment at which the database's clock has surely come to the instant.
func (c clockReading) here(at window.Instant) time.Time {
	return c.answered.Add((at - c.at).Duration())
}

// change lets decide change the state and writes it over, again for as long as
// other processes are faster. Decide says whether there is anything to write.
func (r quotaRow) change(ctx context.Context, decide func(*window.State, clockReading) bool) error {
	for {
		kept, err := r.try(ctx, decide)
		if err != nil {
			return r.failed("use quota", err)
		}
		if kept {
			return nil
		}
		if err := pause(ctx, rand.N(conflictDelay)); err != nil {
			return r.failed("use quota", err)
		}
	}
}

// try is one attempt: kept is false when another process wrote the row first.
func (r quotaRow) try(ctx context.Context, decide func(*window.State, clockReading) bool) (kept bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	clock := clockReading{asked: time.Now()}
	state, version, now, err := r.readOrCreate(ctx)
	if err != nil {
		return false, err
	}
	clock.answered, clock.at = time.Now(), window.At(now)
	if !decide(state, clock) {
		return true, nil
	}
	return r.write(ctx, version, state)
}

// failed takes a ledger that is too slow for one that does not answer.
func (r quotaRow) failed(operation string, err error) error {
	host := r.pool.Config().ConnConfig.Host
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("ledger database: %s: %w: no answer from %s within %s", operation, store.ErrUnavailable, host, exchangeTimeout)
	}
	return failure(place{ledgerName, host}, operation, err)
}

// read returns the state, its version and the time of the database.
func (r quotaRow) read(ctx context.Context) (*window.State, int64, time.Time, error) {
	var (
		version int64
		text    []byte
		now     time.Time
	)
	err := r.pool.QueryRow(ctx, `
		SELECT version, state::text, clock_timestamp()
		FROM archive.quota
		WHERE base_url = $1 AND tenancy = $2`, r.baseURL, r.tenancy).Scan(&version, &text, &now)
	if err != nil {
		return nil, 0, now, err
	}
	state := &window.State{}
	if err := json.Unmarshal(text, state); err != nil {
		return nil, 0, now, fmt.Errorf("%w: archive.quota holds a state that this program cannot read", store.ErrSchema)
	}
	return state, version, now, nil
}

// readOrCreate is read, and makes the row of a tenant seen for the first time.
func (r quotaRow) readOrCreate(ctx context.Context) (*window.State, int64, time.Time, error) {
	state, version, now, err := r.read(ctx)
	if !errors.Is(err, pgx.ErrNoRows) {
		return state, version, now, err
	}
	if _, err := r.pool.Exec(ctx, `
		INSERT INTO archive.quota (base_url, tenancy)
		VALUES ($1, $2)
		ON CONFLICT (base_url, tenancy) DO NOTHING`, r.baseURL, r.tenancy); err != nil {
		return nil, 0, now, err
	}
	return r.read(ctx)
}

// write reports whether the version was still there to be written over.
func (r quotaRow) write(ctx context.Context, version int64, state *window.State) (bool, error) {
	text, err := json.Marshal(state)
	if err != nil {
		return false, err
	}
	tag, err := r.pool.Exec(ctx, `
		UPDATE archive.quota
		SET state = $4::text::json, version = version + 1, updated_at = clock_timestamp()
		WHERE base_url = $1 AND tenancy = $2 AND version = $3`, r.baseURL, r.tenancy, version, string(text))
	if err != nil {
		return false, err
	}
	return tag.RowsAffected() == 1, nil
}

// ReadQuota says how much of a tenant's quota is taken. RunID may be "". A tenant
// that nobody has used yet has the zero value.
func ReadQuota(ctx context.Context, pool *pgxpool.Pool, baseURL, tenancy, runID string) (store.QuotaUse, error) {
	return quotaRow{pool: pool, baseURL: baseURL, tenancy: tenancy}.use(ctx, window.Standard, runID)
}

func (r quotaRow) use(ctx context.Context, rules window.Rules, runID string) (store.QuotaUse, error) {
	state, _, now, err := r.read(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.QuotaUse{}, nil
	}
	if err != nil {
		return store.QuotaUse{}, r.failed("read quota", err)
	}
	use := state.Use(window.At(now), rules, runID)
	result := store.QuotaUse{
		At:           now.UTC(),
		PerSecond:    use.Limits.PerShort,
		SecondUsed:   use.Short,
		PerMinute:    use.Limits.PerLong,
		MinuteUsed:   use.Long,
		RunPerMinute: use.Limits.PerLongOfRun,
		RunUsed:      use.OfRun,
		InFlight:     use.InFlight,
		Waiting:      use.Waiting,
		Processes:    use.Members,
	}
	if use.Until > 0 {
		result.CoolUntil = use.Until.Time()
	}
	return result, nil
}
