package faults_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/worker"
)

// A database to which connections are begun and never made, as when its host is
// gone, is waited for, and named with its host.
func TestConnectionsThatAreNeverMade(t *testing.T) {
	t.Parallel()
	const users = 60
	tn := archivetest.NewTenantAlone(t, tenantOf(users))
	proxy := services["ledger and source"](tn)
	p := tn.Process("nightly", func(c *worker.Config) { c.Concurrency = 8; c.OutageBound = time.Minute })
	defer p.Close()
	mended := make(chan struct{})
	go func() {
		defer close(mended)
		p.WaitForUsers(8)
		proxy.cut()
		proxy.poison("timeout", map[string]any{"timeout": 0})
		proxy.back()
		pause(t.Context(), 12*time.Second) // more than a connection may take
		proxy.heal()
		proxy.cut()
		proxy.back()
	}()
	report, err := p.Run(t.Context(), t.Context())
	<-mended
	checkAllArchived(tn, report, err, users)
	if log := tn.Log.String(); !strings.Contains(log, "service_away") || !strings.Contains(log, proxy.proxy.Listen) {
		t.Errorf("the log does not name what is away:\n%s", log)
	}
}

// Connections whose other end says nothing any more, and breaks nothing off, are
// given up: new ones are made, and everybody is archived.
func TestHalfOpenConnections(t *testing.T) {
	t.Parallel()
	const users = 60
	for name, through := range map[string]func(tn *archivetest.Tenant) *proxied{
		"ledger and source": services["ledger and source"],
		"source": func(tn *archivetest.Tenant) *proxied {
			ledger := tn.LedgerURL
			defer func() { tn.LedgerURL = ledger }()
			return services["ledger and source"](tn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenantAlone(t, tenantOf(users))
			proxy := through(tn)
			p := tn.Process("nightly", func(c *worker.Config) {
				c.Concurrency = 4
				c.OutageBound, c.Silence = 2*time.Minute, 20*time.Second
			})
			defer p.Close()
			source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{
				URL: store.Sensitive(tn.SourceURL), UsersSQL: "SELECT * FROM users",
				Identifiers: []string{"phone", "email"}, LookupTimeout: 5 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			p.Users = lookupsOf{p.Users, source}
			mended := make(chan struct{})
			go func() {
				defer close(mended)
				p.WaitForUsers(8)
				proxy.poison("timeout", map[string]any{"timeout": 0}) // swallows all, closes nothing
				pause(t.Context(), time.Minute)
				proxy.heal() // what was swallowed stays away
			}()
			report, err := p.Run(t.Context(), t.Context())
			<-mended
			checkAllArchived(tn, report, err, users)
		})
	}
}

// lookupsOf looks users up in another source.
type lookupsOf struct {
	worker.Users
	source *postgres.Source
}

func (l lookupsOf) Lookup(ctx context.Context, ids []string) (map[string]store.User, error) {
	return l.source.Lookup(ctx, ids)
}
