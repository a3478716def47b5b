package app

import (
	"context"
	"time"

	"vlens-archiver/internal/config"
	"vlens-archiver/store/postgres"
)

// Databases are the company's users and the ledger.
type Databases struct {
	Source *postgres.Source
	Ledger *postgres.Ledger
	Users  *postgres.Users
}

// OpenLedger connects to the ledger. Tables that are not those of this program are
// store.ErrSchema.
func OpenLedger(ctx context.Context, cfg *config.Config) (*postgres.Ledger, error) {
	ledger, err := postgres.OpenLedger(ctx, cfg.Ledger.DatabaseURL)
	if err != nil {
		return nil, err
	}
	if err := ledger.CheckSchema(ctx); err != nil {
		ledger.Close()
		return nil, err
	}
	return ledger, nil
}

// OpenDatabases connects to ledger and source, and checks the ledger's tables.
func OpenDatabases(ctx context.Context, cfg *config.Config) (*Databases, error) {
	ledger, err := OpenLedger(ctx, cfg)
	if err != nil {
		return nil, err
	}
	source, err := OpenSource(ctx, cfg)
	if err != nil {
		ledger.Close()
		return nil, err
	}
	return &Databases{Source: source, Ledger: ledger, Users: postgres.NewUsers(source, ledger)}, nil
}

// closeTimeout bounds the closing of the databases and of the quota.
const closeTimeout = 5 * time.Second

// Close closes the connections. It waits for those in use, but no longer than
// closeTimeout: after a panic one may be in use for ever.
func (d *Databases) Close() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		d.Source.Close()
		d.Ledger.Close()
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
}
