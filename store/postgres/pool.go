package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
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
	// pingTimeout is how long a connection that was idle may take to prove itself
	// before another one is taken.
	pingTimeout = 5 * time.Second
)

// database is a pool of connections with the words for what goes wrong.
type database struct {
	pool *pgxpool.Pool
	place
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
	config.ConnConfig.DialFunc = dialer.DialContext
	config.PingTimeout = pingTimeout
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "vlens-archiver"
	}
	// Statements keep no name on the server, which a transaction pooler would
	// lose; only the types of their parameters are remembered here. This costs
	// the server a parse per statement, and no round trip.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe

	at := place{name, net.JoinHostPort(config.ConnConfig.Host, strconv.Itoa(int(config.ConnConfig.Port)))}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return database{}, failure(at, "connect", err)
	}
	d := database{pool: pool, place: at}
	if err := d.within(ctx, connectTimeout+pingTimeout, pool.Ping); err != nil {
		pool.Close()
		return database{}, d.failed("connect", err)
	}
	return d, nil
}

// failed gives the error of an operation the words of this database.
func (d database) failed(operation string, err error) error {
	return failure(d.place, operation, err)
}

// reserved is a pool of one connection of its own, which is made when it is needed
// first: whoever works with it does not wait for a connection that others have.
func (d database) reserved(ctx context.Context) (*pgxpool.Pool, error) {
	config := d.pool.Config()
	config.MinConns, config.MinIdleConns, config.MaxConns = 0, 0, 1
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return pool, d.failed("connect", err)
}

// within bounds how long the database may leave something unanswered: a connection
// whose other end is gone without a word looks like a server that thinks. Limit is
// longer than the server itself may take.
func (d database) within(ctx context.Context, limit time.Duration, ask func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := ask(bounded)
	if ctx.Err() == nil && bounded.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer from %s within %s; the connection is given up", store.ErrUnavailable, d.host, limit)
	}
	return err
}

// inTx runs work in one transaction and commits it.
func (d database) inTx(ctx context.Context, options pgx.TxOptions, work func(tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, d.pool, options, work)
}

// send asks a batch of short statements, which are one transaction.
func (d database) send(ctx context.Context, batch *pgx.Batch) error {
	return d.within(ctx, askTimeout, func(ctx context.Context) error { return d.pool.SendBatch(ctx, batch).Close() })
}
