package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/jackc/pgx/v5/pgxpool"
)

// extracts are the questions whose answers stand as CSV files in the folder.
var extracts = []struct{ name, query string }{
	{"runs", `
		SELECT run_id, kind, status, started_at, ended_at, sync_users, users, archived, unchanged, partial, no_images, not_found, failed, requests, images, bytes
		FROM archive.run_overview ORDER BY started_at`},
	{"coverage", `
		SELECT state, users, users_left, oldest_pending_at
		FROM archive.coverage ORDER BY state`},
	{"failures", `
		SELECT class, lasting, users, oldest_at
		FROM archive.failures ORDER BY class`},
	{"users", `
		SELECT user_id, subject, state, last_class, verified_at, archived_at, attempts, next_due_at
		FROM archive.subjects ORDER BY user_id`},
	{"outcomes", `
		SELECT run_id, user_id, subject, outcome, class, transaction_id, requests, bytes, record_key, started_at, ended_at
		FROM archive.outcomes ORDER BY run_id, user_id`},
	{"images", `
		SELECT subject, transaction_id, kind, state, class, key, version_id, bytes, media_type, width, height, sha256, flags, run_id, fetched_at
		FROM archive.current_images ORDER BY subject, image_id`},
}

// extractLedger writes what the ledger says as tables for people.
func extractLedger(ctx context.Context, pool *pgxpool.Pool, folder *os.Root) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	defer conn.Release()
	for _, extract := range extracts {
		err := writeFile(folder, path.Join(ledgerDir, extract.name+".csv"), func(out io.Writer) error {
			_, err := conn.Conn().PgConn().CopyTo(ctx, out, "COPY ("+extract.query+") TO STDOUT WITH (FORMAT csv, HEADER true)")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
