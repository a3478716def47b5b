package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// OpenRun creates the run, or joins the one of that id, and returns it as the
// ledger has it; its status may be another than open. A run of another kind or
// with another selection is store.ErrRunMismatch. Of several creators at once
// one creates and the others join.
func (l *Ledger) OpenRun(ctx context.Context, run store.Run) (store.Run, error) {
	ids := distinct(run.Selection.UserIDs)
	run.Selection.Users = len(ids)
	if filter := run.Selection; len(ids) > 0 && (filter.Failed || filter.FailedClass != store.ClassNone || !filter.Since.IsZero() || !filter.Until.IsZero()) {
		return store.Run{}, errBothSelections
	}
	selection, err := json.Marshal(run.Selection)
	if err != nil {
		return store.Run{}, err
	}

	var found store.Run
	err = l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO archive.runs (run_id, kind, started_at, selection, tool_version, config_sha256)
			VALUES ($1, $2, clock_timestamp(), $3, $4, $5)
			ON CONFLICT (run_id) DO NOTHING`,
			run.ID, run.Kind, selection, run.ToolVersion, run.ConfigSHA256)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 && len(ids) > 0 {
			if err := giveUsers(ctx, tx, run.ID, run.Selection.UserIDs); err != nil {
				return err
			}
		}
		found, err = readRun(ctx, tx, run.ID)
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		return sameRun(ctx, tx, found, run, ids)
	})
	if err != nil {
		return store.Run{}, l.failed(fmt.Sprintf("open run %q", run.ID), err)
	}
	found.Selection.UserIDs = run.Selection.UserIDs
	return found, nil
}

// giveUsers keeps the ids a backfill was given, each with its first position.
func giveUsers(ctx context.Context, tx pgx.Tx, runID string, ids []string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO archive.run_users (run_id, user_id, given)
		SELECT $1, g.user_id, min(g.position)
		FROM unnest($2::text[]) WITH ORDINALITY AS g (user_id, position)
		GROUP BY g.user_id`, runID, ids)
	return err
}

// RunStatus is where a run stands. One that nobody has opened is
// store.ErrNotFound.
func (l *Ledger) RunStatus(ctx context.Context, runID string) (store.RunStatus, error) {
	var status store.RunStatus
	err := l.pool.QueryRow(ctx, `SELECT r.status FROM archive.runs AS r WHERE r.run_id = $1`, runID).Scan(&status)
	if noRow(err) {
		err = store.ErrNotFound
	}
	return status, l.failed(fmt.Sprintf("read status of run %q", runID), err)
}

func readRun(ctx context.Context, tx pgx.Tx, runID string) (store.Run, error) {
	rows, err := tx.Query(ctx, `
		SELECT run_id, kind, status, started_at, ended_at, selection, tool_version, config_sha256
		FROM archive.runs WHERE run_id = $1`, runID)
	if err != nil {
		return store.Run{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanRun)
}

func scanRun(row pgx.CollectableRow) (store.Run, error) {
	var run store.Run
	var ended *time.Time
	var selection []byte
	if err := row.Scan(&run.ID, &run.Kind, &run.Status, &run.StartedAt, &ended, &selection, &run.ToolVersion, &run.ConfigSHA256); err != nil {
		return run, err
	}
	run.EndedAt = orZero(ended)
	return run, json.Unmarshal(selection, &run.Selection)
}

// sameRun refuses a run that was found with another kind or other users than the
// one wanted, whose distinct user ids are ids.
func sameRun(ctx context.Context, tx pgx.Tx, found, wanted store.Run, ids []string) error {
	if found.Kind != wanted.Kind {
		return fmt.Errorf("%w: it is a %s run, not a %s run", store.ErrRunMismatch, found.Kind, wanted.Kind)
	}
	if !equalSelections(found.Selection, wanted.Selection) {
		return fmt.Errorf("%w: give the options it was created with, or another run id", store.ErrRunMismatch)
	}
	if len(ids) == 0 {
		return nil
	}
	var unknown int64
	err := tx.QueryRow(ctx, `
		SELECT count(*) FROM unnest($2::text[]) AS g (user_id)
		WHERE NOT EXISTS (
			SELECT 1 FROM archive.run_users AS ru
			WHERE ru.run_id = $1 AND ru.user_id = g.user_id AND ru.given IS NOT NULL)`, found.ID, ids).Scan(&unknown)
	if err == nil && unknown > 0 {
		err = fmt.Errorf("%w: %d of the user ids are not in it; use another run id", store.ErrRunMismatch, unknown)
	}
	return err
}

// equalSelections compares all but the user ids themselves.
func equalSelections(a, b store.Selection) bool {
	return a.Users == b.Users && a.Failed == b.Failed && a.FailedClass == b.FailedClass &&
		a.Since.Equal(b.Since) && a.Until.Equal(b.Until) && a.Force == b.Force && a.PerMinute == b.PerMinute
}

// unworkedSQL says of a run r that it is open and nobody works on it any more.
var unworkedSQL = `r.status = 'open' AND r.started_at < ` + heartbeatLimit + `
	AND NOT EXISTS (
		SELECT 1 FROM archive.processes AS p
		WHERE p.heartbeat_at > ` + heartbeatLimit + `
		  AND (p.run_id = r.run_id OR (p.process = r.close_process AND p.ended_at IS NULL)))`

// Interrupted lists the open runs for which no process has beaten for the
// takeover time, the oldest first.
func (l *Ledger) Interrupted(ctx context.Context, exceptRunID string) ([]store.Run, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT r.run_id, r.kind, r.status, r.started_at, r.ended_at, r.selection, r.tool_version, r.config_sha256
		FROM archive.runs AS r
		WHERE r.run_id <> $1 AND `+unworkedSQL+`
		ORDER BY r.started_at`, exceptRunID)
	if err != nil {
		return nil, l.failed("list interrupted runs", err)
	}
	runs, err := pgx.CollectRows(rows, scanRun)
	return runs, l.failed("list interrupted runs", err)
}

func distinct(ids []string) []string {
	sorted := slices.Sorted(slices.Values(ids))
	return slices.Compact(sorted)
}

func orZero(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.UTC()
}

// orNull is the time for a column that has NULL for "none".
func orNull(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
