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

// OpenLedger connects to the ledger and makes sure that its tables are those
// that this program needs; else it is store.ErrSchema.
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

// closeTimeout bounds what closing may take.
const closeTimeout = 5 * time.Second

// Close closes the connections. It waits a moment for those in use, and not for
// ever: a connection that a panic left behind must not keep the process alive.
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
