package doctor

import (
	"fmt"
	"testing"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
)

// A real PgBouncer before both databases.
func TestPoolers(t *testing.T) {
	t.Parallel()
	services(t)
	for _, test := range []struct{ mode, text string }{
		{"session", "through a pooler, of sessions"},
		{"transaction", "through a pooler of transactions"},
	} {
		t.Run(test.mode, func(t *testing.T) {
			t.Parallel()
			s := newSite(t).behindPooler(test.mode)
			e := s.examine().otherwiseWell("source.read_only")
			for _, name := range []string{"ledger", "source"} {
				e.finds(name+".pooling", OK, test.text, "")
				if got := fmt.Sprint(e.result(name + ".pooling").Measured["pooling"]); got != test.mode {
					t.Errorf("%s: measured %q", name, got)
				}
			}
			e.finds("source.server", OK, "on the same server as the ledger", "")
		})
	}
	t.Run("statement", func(t *testing.T) {
		t.Parallel()
		e := newSite(t).behindPooler("statement").examine()
		for _, name := range []string{"ledger", "source"} {
			e.finds(name+".pooling", Failed, "refuses transactions", advise(adviseStatement, name)).because(name+".pooling", ErrMisfit)
		}
	})
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
		s.examine().finds(name+".pooling", Warning, "too many connections for role", advise(adviseConnections, name))
	}
}
