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
	adviseConnections = "let the role of %s.database_url have 10 connections, and set pool_mode = transaction (or session) in a pooler before it"
)

// database is what ledger and source have in common.
type database interface {
	Server(ctx context.Context) (postgres.Server, error)
	Link(ctx context.Context) (postgres.Link, error)
}

// databaseChecks are the checks that both databases undergo: name is ledger or
// source.
func databaseChecks(name string, connect func(*examination, context.Context) (database, error), of func(*examination) database) []check {
	server := name + ".server"
	advice := func(text string) string { return fmt.Sprintf(text, name) }
	return []check{
		{
			name: server, tried: "connect to " + name + ".database_url twice and ask for the version in a transaction",
			remedies: []string{advice(adviseReach), advice(adviseLogin), advice(adviseConnections)}, needs: []string{configFile},
			run: func(e *examination, ctx context.Context) finding {
				d, err := connect(e, ctx)
				switch {
				case errors.Is(err, store.ErrDenied):
					return failed(advice(adviseLogin), err)
				case ctx.Err() != nil:
					return broken(advice(adviseReach), "no answer within 10 s")
				case err != nil:
					return failed(advice(adviseReach), err)
				}
				s, err := d.Server(ctx)
				switch {
				case errors.Is(err, postgres.ErrStatementPooler):
					return misfit(advice(adviseConnections), "%s", err)
				case err != nil:
					return failed(advice(adviseConnections), err)
				}
				return e.describeServer(name, s)
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
