package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"vlens-archiver/store"
)

const ledgerName = "ledger"

// Ledger is the audit trail and the list of work.
type Ledger struct {
	database
	// Heartbeat and quota do not wait for a connection that a statement has which
	// waits for a lock, or for ever.
	heartbeat, quota *pgxpool.Pool

	mu sync.Mutex
	// unanswered holds, by process, the tokens of claims whose answer was lost.
	unanswered map[string][]int64
}

// OpenLedger connects to the ledger's database. Errors: store.ErrUnavailable,
// store.ErrDenied.
func OpenLedger(ctx context.Context, url store.Sensitive) (*Ledger, error) {
	database, err := openDatabase(ctx, ledgerName, url)
	if err != nil {
		return nil, err
	}
	l := &Ledger{database: database, unanswered: make(map[string][]int64)}
	for _, own := range []**pgxpool.Pool{&l.heartbeat, &l.quota} {
		if *own, err = database.reserved(ctx); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

// Close closes the connections.
func (l *Ledger) Close() {
	for _, pool := range []*pgxpool.Pool{l.pool, l.heartbeat, l.quota} {
		if pool != nil {
			pool.Close()
		}
	}
}

// Pool is the ledger's pool of connections.
func (l *Ledger) Pool() *pgxpool.Pool { return l.pool }

// QuotaPool has the connection for the quota that is kept in the ledger.
func (l *Ledger) QuotaPool() *pgxpool.Pool { return l.quota }

// Clock is the time of the database.
func (l *Ledger) Clock(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := l.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now, l.failed("read clock", err)
}

// OpenArchive makes this ledger the one of the archive, or makes sure that it
// is: store.ErrForeignArchive names what differs. As long as nothing is archived
// the place may still change.
func (l *Ledger) OpenArchive(ctx context.Context, identity store.ArchiveIdentity) error {
	var there store.ArchiveIdentity
	err := l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `
			INSERT INTO archive.archive (layout_version, origin, tenancy_name, key_check, place)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (only_row) DO UPDATE SET place = excluded.place
			WHERE NOT `+begunSQL,
			identity.LayoutVersion, identity.Origin, identity.TenancyName, identity.KeyCheck, identity.Place); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT layout_version, origin, tenancy_name, key_check, place FROM archive.archive`).
			Scan(&there.LayoutVersion, &there.Origin, &there.TenancyName, &there.KeyCheck, &there.Place)
	})
	if err != nil {
		return l.failed("open archive", err)
	}
	return sameArchive(there, identity)
}

// begunSQL is whether something stands in the archive's place: a record, or the
// files of a run.
const begunSQL = `(EXISTS (SELECT 1 FROM archive.records) OR EXISTS (SELECT 1 FROM archive.runs WHERE status <> 'open'))`

// Archive is what the ledger says of the archive that it belongs to; a ledger
// that no run has used yet is store.ErrNotFound.
func (l *Ledger) Archive(ctx context.Context) (store.ArchiveIdentity, error) {
	var there store.ArchiveIdentity
	err := l.pool.QueryRow(ctx, `SELECT layout_version, origin, tenancy_name, key_check, place FROM archive.archive`).
		Scan(&there.LayoutVersion, &there.Origin, &there.TenancyName, &there.KeyCheck, &there.Place)
	if noRow(err) {
		err = store.ErrNotFound
	}
	return there, l.failed("read which archive this is", err)
}

// LedgerID is the name of this ledger, which statements give; "" when no run has
// used it yet.
func (l *Ledger) LedgerID(ctx context.Context) (string, error) {
	var id string
	err := l.pool.QueryRow(ctx, `SELECT a.ledger_id::text FROM archive.archive AS a`).Scan(&id)
	if noRow(err) {
		err = nil
	}
	return id, l.failed("read the ledger's name", err)
}

// CompareArchive makes sure, without writing, that the ledger is the one of the
// archive, as OpenArchive would. found is false when no run has opened it yet.
func (l *Ledger) CompareArchive(ctx context.Context, identity store.ArchiveIdentity) (found bool, err error) {
	var there store.ArchiveIdentity
	var begun bool
	err = l.pool.QueryRow(ctx, `
		SELECT a.layout_version, a.origin, a.tenancy_name, a.key_check, a.place, `+begunSQL+`
		FROM archive.archive AS a`).
		Scan(&there.LayoutVersion, &there.Origin, &there.TenancyName, &there.KeyCheck, &there.Place, &begun)
	if noRow(err) {
		return false, nil
	}
	if err != nil {
		return false, l.failed("read archive", err)
	}
	if !begun {
		there.Place = identity.Place
	}
	return true, sameArchive(there, identity)
}

func sameArchive(there, here store.ArchiveIdentity) error {
	if what := there.Difference(here); what != "" {
		return fmt.Errorf("%w: the ledger's archive %s", store.ErrForeignArchive, what)
	}
	return nil
}

func noRow(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
