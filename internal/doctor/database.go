package doctor

import (
	"context"
	"errors"
	"fmt"

	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

const (
	adviseLogin       = "check user, password and pg_hba.conf for %s.database_url"
	adviseReach       = "check %s.database_url, DNS, and the network policy's egress to the database"
	adviseTLS         = "add sslmode=verify-full and sslrootcert=FILE to %s.database_url"
	adviseStatement   = "set pool_mode = transaction (or session) for this database in the pooler of %s.database_url"
	adviseConnections = "raise the number of connections for the role of %s.database_url, in the database or the pooler: a process uses up to 8"
)

// database is what ledger and source have in common.
type database interface {
	Server(ctx context.Context) (postgres.Server, error)
	Link(ctx context.Context) (postgres.Link, error)
	Pooling(ctx context.Context) (postgres.Pooling, error)
}

// databaseChecks are the checks that both databases undergo: name is ledger or
// source.
func databaseChecks(name string, connect func(*examination, context.Context) (database, error), of func(*examination) database) []check {
	server := name + ".server"
	advice := func(text string) string { return fmt.Sprintf(text, name) }
	return []check{
		{
			name: server, tried: "connect to " + name + ".database_url and ask for the version",
			remedies: []string{advice(adviseReach), advice(adviseLogin)}, needs: []string{configFile},
			run: func(e *examination, ctx context.Context) finding {
				d, err := connect(e, ctx)
				if err == nil {
					var s postgres.Server
					if s, err = d.Server(ctx); err == nil {
						return e.describeServer(name, s)
					}
				}
				if errors.Is(err, store.ErrDenied) {
					return failed(advice(adviseLogin), err)
				}
				if errors.Is(err, context.DeadlineExceeded) {
					return broken(advice(adviseReach), "no answer within 10 s")
				}
				return failed(advice(adviseReach), err)
			},
		},
		{
			name: name + ".tls", tried: "look at the encryption of a connection, as far as its first hop",
			remedies: []string{advice(adviseTLS)}, needs: []string{server},
			run: func(e *examination, ctx context.Context) finding {
				link, err := of(e).Link(ctx)
				if err != nil {
					return unsure(advice(adviseTLS), err)
				}
				return judgeLink(link, advice(adviseTLS))
			},
		},
		{
			name: name + ".pooling", tried: "compare the process numbers of two connections with those of their logins",
			remedies: []string{advice(adviseStatement), advice(adviseConnections)}, needs: []string{server},
			run: func(e *examination, ctx context.Context) finding {
				pooling, err := of(e).Pooling(ctx)
				if err != nil {
					return unsure(advice(adviseConnections), err)
				}
				return judgePooling(pooling, advice(adviseStatement))
			},
		},
	}
}

func (e *examination) describeServer(name string, s postgres.Server) finding {
	text := fmt.Sprintf("PostgreSQL %s as role %q", s.Version, s.Role)
	sameServer := false
	if name == "ledger" {
		e.server = s
	} else if sameServer = e.ledger != nil && s.StartedAt.Equal(e.server.StartedAt); sameServer {
		text += ", on the same server as the ledger"
	}
	f := ok("%s", text).with("version", s.Version).with("standby", s.InRecovery)
	if name != "ledger" {
		f = f.with("same_server_as_ledger", sameServer)
	}
	return f
}

func judgeLink(link postgres.Link, advice string) finding {
	var f finding
	switch {
	case link.Verified:
		f = ok("%s, and the server's certificate is checked", link.TLS)
	case link.Local:
		f = ok("the connection does not leave this machine")
	case link.TLS != "":
		f = warn(advice, "%s, but the server's certificate is not checked: it may be anybody's", link.TLS)
	default:
		f = warn(advice, "nothing is encrypted: passwords and users cross the network in clear")
	}
	return f.with("tls", link.TLS).with("certificate_checked", link.Verified).with("local", link.Local)
}

func judgePooling(pooling postgres.Pooling, advice string) finding {
	var f finding
	switch pooling {
	case postgres.PoolingNone:
		f = ok("direct: no pooler shows itself")
	case postgres.PoolingTransaction:
		f = ok("through a pooler of transactions, which is fine")
	case postgres.PoolingSession:
		f = ok("through a pooler, of sessions as far as can be seen, which is fine")
	default:
		f = misfit(advice, "through a pooler of statements: it refuses transactions, and a run needs them")
	}
	return f.with("pooling", pooling)
}
