package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Server is what a database says of itself and of the role that asks.
type Server struct {
	Version    string // such as 15.8
	Role       string
	Superuser  bool
	InRecovery bool // a standby: nothing can be written
	// StartedAt is when the server was started. Two databases with the same one
	// are on the same server, also behind a pooler.
	StartedAt time.Time
}

// ErrStatementPooler says that the pooler before the database refuses transactions.
var ErrStatementPooler = errors.New("a pooler of statements")

// Server asks the database about itself, as runs ask: in a transaction, beside
// another connection that is open. A pooler of statements or a role with too few
// connections would end a run half-way.
//
// Errors: ErrStatementPooler, store.ErrUnavailable, store.ErrDenied.
func (d database) Server(ctx context.Context) (Server, error) {
	const operation = "ask for the server's version in a transaction"
	other, err := d.pool.Acquire(ctx)
	if err != nil {
		return Server{}, d.failed(operation, err)
	}
	defer other.Release()
	var s Server
	err = d.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			SELECT current_setting('server_version'), current_user, r.rolsuper, pg_is_in_recovery(), pg_postmaster_start_time()
			FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user`).
			Scan(&s.Version, &s.Role, &s.Superuser, &s.InRecovery, &s.StartedAt)
	})
	s.Version, _, _ = strings.Cut(s.Version, " ")
	// PgBouncer has one code for all that it refuses.
	if refused, ok := asServerError(err); ok && strings.Contains(refused.Message, "statement pooling") {
		return Server{}, fmt.Errorf("%s database: %s: %w: %s", d.name, operation, ErrStatementPooler, oneLine(refused.Message))
	}
	return s, d.failed(operation, err)
}

// Link is the connection to the database, as far as its first hop.
type Link struct {
	// Local: a Unix socket or a loopback address, which no network sees.
	Local bool
	// TLS is the protocol's version, such as "TLS 1.3"; "" without encryption.
	TLS string
	// Verified: the server had to show a certificate that is trusted.
	Verified bool
}

// Link looks at a connection of the pool; it asks the server nothing.
func (d database) Link(ctx context.Context) (Link, error) {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return Link{}, d.failed("connect", err)
	}
	defer conn.Release()
	wire := conn.Conn().PgConn().Conn()
	link := Link{Local: isLocal(wire.RemoteAddr())}
	if encrypted, ok := wire.(*tls.Conn); ok {
		link.TLS = tls.VersionName(encrypted.ConnectionState().Version)
		// sslmode=verify-ca is done by a function of the driver's own.
		config := conn.Conn().Config().TLSConfig
		link.Verified = config != nil && (!config.InsecureSkipVerify || config.VerifyPeerCertificate != nil)
	}
	return link, nil
}

func isLocal(addr net.Addr) bool {
	ip, ok := addr.(*net.TCPAddr)
	return !ok || ip.IP.IsLoopback()
}

// Writable counts the tables outside the ledger that the role of the source may
// change; a standby has none. Superusers may change all.
func (s *Source) Writable(ctx context.Context) (int, error) {
	var tables int
	err := s.pool.QueryRow(ctx, `
		SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE (
			SELECT count(*)
			FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p', 'f')
			  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'archive') AND n.nspname NOT LIKE 'pg\_temp\_%'
			  AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
		) END`).Scan(&tables)
	return tables, s.failed("read the rights of the role", err)
}

// errTried rolls a trial back.
var errTried = errors.New("tried")

// TryWriting does what a run does first: it makes a temporary table and writes a
// run. All of it is rolled back. It then makes sure that the role may read and
// add to every table of the ledger, change those that are no history, and remove
// what waits for the log once it has its place there. Errors: store.ErrDenied,
// store.ErrSchema.
func (l *Ledger) TryWriting(ctx context.Context, runID string) error {
	var closedTables []string
	err := l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE doctor_trial (n integer) ON COMMIT DROP`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO archive.runs (run_id, kind) VALUES ($1, 'manual')`, runID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE archive.runs SET tool_version = 'doctor' WHERE run_id = $1`, runID); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `
			SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname), '{}')
			FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
			WHERE n.nspname = 'archive' AND c.relkind = 'r' AND c.relname <> 'goose_db_version'
			  AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND (
			      has_table_privilege(c.oid, 'UPDATE')
			      OR EXISTS (SELECT 1 FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgname = 'insert_only'))
			      AND (c.relname <> 'log_waiting' OR has_table_privilege(c.oid, 'DELETE')))`).Scan(&closedTables); err != nil {
			return err
		}
		return errTried
	})
	switch {
	case !errors.Is(err, errTried):
		return l.failed("write in a transaction that is rolled back", err)
	case len(closedTables) > 0:
		return l.failed("read rights", fmt.Errorf("%w: the role lacks rights on archive.%s",
			store.ErrDenied, strings.Join(closedTables, ", archive.")))
	}
	return nil
}
