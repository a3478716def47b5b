package doctor

import (
	"fmt"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// A real PgBouncer before both databases.
func TestPoolers(t *testing.T) {
	t.Parallel()
	services(t)
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			e := newSite(t).behindPooler(mode).examine().otherwiseWell("source.read_only")
			e.finds("source.server", OK, "on the same server as the ledger", "")
		})
	}
	t.Run("statement", func(t *testing.T) {
		t.Parallel()
		e := newSite(t).behindPooler("statement").examine()
		for _, name := range []string{"ledger", "source"} {
			e.finds(name+".server", Failed, "transaction blocks not allowed in statement pooling mode", advise(adviseConnections, name)).because(name+".server", ErrMisfit)
		}
	})
}

// A pooler of transactions is fine for all that runs do, until they stand in the
// signed log.
func TestRunsBehindAPoolerOfTransactions(t *testing.T) {
	t.Parallel()
	const users = 3
	tn := archivetest.NewTenantAlone(t, vlenstest.Options{People: users, ImageBytes: 4 << 10})
	tn.Seals = true
	pooler := testservices.PgBouncerForTest(t, tn.Postgres, "transaction")
	tn.LedgerURL, tn.SourceURL = pooler.URL("ledger"), pooler.URL("source")
	for n, run := range []string{"first", "second"} {
		report := tn.Run(run, nil)
		if entries := int64(users + n + 1); !report.Closed || report.Log.Head.Size != entries || report.Log.Unsealed() != 0 {
			t.Errorf("%s: closed: %t, the log: %+v, want %d entries", run, report.Closed, report.Log, entries)
		}
	}
	tn.CheckWhole(users)
	tn.CheckLog()
}

// behindPooler reaches both databases through PgBouncer, as the role postgres.
func (s *site) behindPooler(mode string) *site {
	s.t.Helper()
	s.ownDatabases()
	pooler := testservices.PgBouncerForTest(s.t, shared.postgres, mode)
	s.cfg.Ledger.DatabaseURL = store.Sensitive(pooler.URL(fmt.Sprintf("ledger_%d", s.number)))
	s.cfg.Source.DatabaseURL = store.Sensitive(pooler.URL(fmt.Sprintf("source_%d", s.number)))
	return s
}

func TestTooFewConnections(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ledger", "source"} {
		s := newSite(t).ownDatabases()
		role := s.newRole(map[string]string{"ledger": s.ledger, "source": s.source}[name])
		s.in(s.source, `ALTER ROLE `+role+` CONNECTION LIMIT 1`)
		if name == "ledger" {
			s.cfg.Ledger.DatabaseURL = store.Sensitive(as(s.ledger, role))
		} else {
			s.cfg.Source.DatabaseURL = store.Sensitive(as(s.source, role))
		}
		s.examine().finds(name+".server", Failed, "too many connections for role", advise(adviseConnections, name))
	}
}
