package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"vlens-archiver/store"
)

const (
	// connections of a pool, unless the URL says pool_max_conns: enough for
	// every user in flight to commit without waiting long, few enough for a
	// database with a hundred.
	connections = 8
	// fewestConnections are those that one task holds at once: a migration keeps
	// its lock in one and works in another. With fewer it would wait for itself.
	fewestConnections = 2

	connectTimeout = 10 * time.Second
)

// database is a pool of connections with the words for what goes wrong.
type database struct {
	pool *pgxpool.Pool
	name string // for people: "source" or "ledger", as in the configuration
}

func openDatabase(ctx context.Context, name string, url store.Sensitive) (database, error) {
	config, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		// The error would quote the URL, and with it the password.
		return database{}, fmt.Errorf("%w: %s.database_url must look like postgres://user:password@host:5432/database", store.ErrDatabaseURL, name)
	}
	if !strings.Contains(url.Reveal(), "pool_max_conns") {
		config.MaxConns = connections
	}
	if config.MaxConns < fewestConnections {
		return database{}, fmt.Errorf("%w: pool_max_conns in %s.database_url must be at least %d", store.ErrDatabaseURL, name, fewestConnections)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "vlens-archiver"
	}
	// Statements keep no name on the server, which a transaction pooler would
	// lose; only the types of their parameters are remembered here. This costs
	// the server a parse per statement, and no round trip.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return database{}, failure(name, "connect", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return database{}, failure(name, "connect", err)
	}
	return database{pool: pool, name: name}, nil
}

// failed gives the error of an operation the words of this database.
func (d database) failed(operation string, err error) error {
	return failure(d.name, operation, err)
}

// inTx runs work in one transaction and commits it.
func (d database) inTx(ctx context.Context, options pgx.TxOptions, work func(tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, d.pool, options, work)
}
