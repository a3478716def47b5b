package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// How many lines of each kind a status has at most.
const (
	runsShown     = 10
	outcomesShown = 20
)

// Status is where the archive stands now, all of it of one moment.
func (l *Ledger) Status(ctx context.Context) (store.Status, error) {
	status := store.Status{Users: make(map[store.State]int64)}
	var batch pgx.Batch
	batch.Queue(`SELECT now()`).QueryRow(func(row pgx.Row) error { return row.Scan(&status.At) })
	queueCoverage(&batch, status.Users, &status.UsersTotal, &status.UsersLeft, &status.UsersUnlisted, &status.OldestPendingAt)
	batch.Queue(`
		SELECT f.class, sum(f.users)::bigint AS users, min(f.oldest_at), bool_and(f.lasting = 'settled')
		FROM archive.failures AS f
		GROUP BY f.class
		ORDER BY users DESC, f.class`).Query(func(rows pgx.Rows) (err error) {
		status.Failures, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.FailureLine, error) {
			var line store.FailureLine
			err := row.Scan(&line.Class, &line.Users, &line.OldestAt, &line.Settled)
			line.OldestAt = line.OldestAt.UTC()
			return line, err
		})
		return err
	})
	batch.Queue(acceptedCountSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&status.UsersAccepted) })
	batch.Queue(logStateSQL).QueryRow(func(row pgx.Row) (err error) {
		status.Log, status.SealedAt, err = scanLogState(row)
		return err
	})
	batch.Queue(`
		SELECT o.run_id, o.kind, o.status, o.started_at, o.ended_at, r.selection, r.tool_version, r.config_sha256,
		       o.archived, o.unchanged, o.partial, o.no_images, o.not_found, o.failed, o.images, o.bytes, o.requests
		FROM archive.run_overview AS o
		JOIN archive.runs AS r ON r.run_id = o.run_id
		ORDER BY r.started_at DESC
		LIMIT $1`, runsShown).Query(func(rows pgx.Rows) (err error) {
		status.Runs, err = pgx.CollectRows(rows, scanRunLine)
		return err
	})
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		return tx.SendBatch(ctx, &batch).Close()
	})
	return status, l.failed("read status", err)
}

func scanRunLine(row pgx.CollectableRow) (store.RunLine, error) {
	line := store.RunLine{Outcomes: make(map[store.Outcome]int64)}
	var ended *time.Time
	var selection []byte
	counts := make([]int64, len(store.Outcomes))
	into := []any{&line.Run.ID, &line.Run.Kind, &line.Run.Status, &line.Run.StartedAt, &ended, &selection, &line.Run.ToolVersion, &line.Run.ConfigSHA256}
	for n := range counts {
		into = append(into, &counts[n])
	}
	if err := row.Scan(append(into, &line.Images, &line.Bytes, &line.Requests)...); err != nil {
		return line, err
	}
	for n, outcome := range store.Outcomes {
		if counts[n] > 0 {
			line.Outcomes[outcome] = counts[n]
		}
	}
	line.Run.EndedAt = orZero(ended)
	return line, json.Unmarshal(selection, &line.Run.Selection)
}
