package site

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Database is the work of the ledger's database, as it counts itself.
type Database struct {
	Transactions int64 `json:"transactions"` // a round trip each, at least
	Written      int64 `json:"written"`      // rows inserted, updated or deleted
	Read         int64 `json:"read"`         // rows read by scans or indexes
	WALBytes     int64 `json:"wal_bytes"`    // of the whole server
}

// Minus is the work since an earlier count.
func (d Database) Minus(earlier Database) Database {
	return Database{
		Transactions: d.Transactions - earlier.Transactions,
		Written:      d.Written - earlier.Written,
		Read:         d.Read - earlier.Read,
		WALBytes:     d.WALBytes - earlier.WALBytes,
	}
}

// Work reads the counters of a database. Sessions report theirs when they end,
// so it waits until nobody else is connected.
func (s *Site) Work(ctx context.Context, database string) (Database, error) {
	var work Database
	db, err := pgx.Connect(ctx, s.Postgres.URL("postgres"))
	if err != nil {
		return work, fmt.Errorf("count the work of the database: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	for {
		var sessions int
		err := db.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = $1`, database).Scan(&sessions)
		if err != nil {
			return work, fmt.Errorf("count the work of the database: %w", err)
		}
		if sessions == 0 {
			break
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return work, ctx.Err()
		}
	}
	err = db.QueryRow(ctx, `
		SELECT d.xact_commit + d.xact_rollback, d.tup_inserted + d.tup_updated + d.tup_deleted, d.tup_returned + d.tup_fetched,
		       (pg_current_wal_insert_lsn() - '0/0')::bigint
		FROM pg_stat_database AS d WHERE d.datname = $1`, database).
		Scan(&work.Transactions, &work.Written, &work.Read, &work.WALBytes)
	if err != nil {
		return work, fmt.Errorf("count the work of the database: %w", err)
	}
	return work, nil
}
