package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"vlens-archiver/migrations"
	"vlens-archiver/store"
)

// Direction says what Migrate does.
type Direction string

// The directions. Down takes back the last migration only.
const (
	Up     Direction = "up"
	Down   Direction = "down"
	Status Direction = "status"
)

// Migration is one numbered step of the ledger's schema.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero when it is not applied
}

const (
	versionTable = "archive.goose_db_version"
	// migrationLock is an arbitrary number that only this program uses.
	migrationLock = 0x766c656e73
)

// Migrate brings the ledger's schema up, takes its last step back, or only
// looks, and returns all steps as they are afterwards.
//
// Two programs that start at once wait for each other: a transaction of its own
// holds an advisory lock that ends with it. Unlike a session's lock it also
// works behind a transaction pooler, and it dies with its holder.
func Migrate(ctx context.Context, url store.Sensitive, direction Direction) ([]Migration, error) {
	database, err := openDatabase(ctx, ledgerName, url)
	if err != nil {
		return nil, err
	}
	defer database.pool.Close()

	var steps []Migration
	err = database.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if direction != Status {
			if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
				return err
			}
		}
		db := stdlib.OpenDBFromPool(database.pool)
		defer db.Close()
		steps, err = migrate(ctx, db, direction)
		return err
	})
	return steps, database.failed("migrate "+string(direction), err)
}

func migrate(ctx context.Context, db *sql.DB, direction Direction) ([]Migration, error) {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	switch direction {
	case Up:
		// Goose makes its own table first, so the schema must be there.
		if _, err := db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS archive`); err != nil {
			return nil, err
		}
		_, err = provider.Up(ctx)
	case Down:
		_, err = provider.Down(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			err = nil
		}
	case Status:
	default:
		err = fmt.Errorf("migrate %q: the directions are up, down and status", direction)
	}
	if err != nil {
		return nil, err
	}
	return steps(ctx, db, provider)
}

// steps lists the migrations of this program with the times of those applied.
func steps(ctx context.Context, db *sql.DB, provider *goose.Provider) ([]Migration, error) {
	var list []Migration
	add := func(source *goose.Source, appliedAt time.Time) {
		list = append(list, Migration{Version: source.Version, Name: strings.TrimSuffix(path.Base(source.Path), ".sql"), AppliedAt: appliedAt})
	}
	// To look, goose would make its table.
	var begun bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, versionTable).Scan(&begun); err != nil {
		return nil, err
	}
	if !begun {
		for _, source := range provider.ListSources() {
			add(source, time.Time{})
		}
		return list, nil
	}
	all, err := provider.Status(ctx)
	for _, step := range all {
		add(step.Source, step.AppliedAt)
	}
	return list, err
}

// CheckSchema makes sure that the ledger's tables are those this program needs.
// Else it returns store.ErrSchema, and what to do.
func (l *Ledger) CheckSchema(ctx context.Context) error {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return err
	}
	needed, err := goose.NumericComponent(names[len(names)-1])
	if err != nil {
		return err
	}

	var applied int64
	err = l.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM archive.goose_db_version WHERE is_applied`).Scan(&applied)
	if err != nil {
		return l.failed("check schema", err)
	}
	switch {
	case applied < needed:
		return fmt.Errorf("%w: it is at version %d, this program needs %d; run `vlens-archiver migrate up`", store.ErrSchema, applied, needed)
	case applied > needed:
		return fmt.Errorf("%w: it is at version %d, and this program is older than the ledger: it knows %d; use a newer program", store.ErrSchema, applied, needed)
	}
	return nil
}
