package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

const (
	adviseMigrate = "run `vlens-archiver migrate up`; if the ledger is newer than the program, use a newer program"
	adviseGrants  = "give the role of ledger.database_url USAGE on schema archive, SELECT, INSERT and UPDATE on its tables, DELETE on archive.log_waiting, and TEMPORARY on the database"
	advisePrimary = "point ledger.database_url to the primary: a standby cannot be written"
	adviseClock   = "set this machine's clock, for example with NTP; a run refuses to start above 5 s"
)

const (
	ledgerServer = "ledger.server"
	ledgerSchema = "ledger.schema"
)

func ledgerChecks() []check {
	connect := func(e *examination, ctx context.Context) (database, error) {
		ledger, err := postgres.OpenLedger(ctx, e.cfg.Ledger.DatabaseURL)
		if err == nil {
			e.ledger = ledger
		}
		return ledger, err
	}
	common := databaseChecks("ledger", connect, func(e *examination) database { return e.ledger })
	return append(common,
		check{
			name: "ledger.clock", tried: "compare this machine's clock with the database's",
			remedies: []string{adviseClock}, needs: []string{ledgerServer},
			run: (*examination).compareLedgerClock,
		},
		check{
			name: ledgerSchema, tried: "compare the version of the tables with the one this program needs",
			remedies: []string{adviseMigrate, adviseGrants}, needs: []string{ledgerServer},
			run: (*examination).checkSchema,
		},
		check{
			name: "ledger.rights", tried: "write a run in a transaction that is rolled back, and read the grants of every table",
			remedies: []string{adviseGrants, advisePrimary}, needs: []string{ledgerSchema},
			run: (*examination).tryWriting,
		},
	)
}

func (e *examination) compareLedgerClock(ctx context.Context) finding {
	asked := e.setup.Now()
	there, err := e.ledger.Clock(ctx)
	if err != nil {
		return failed(adviseClock, err)
	}
	s := compareClocks(asked, e.setup.Now(), there, 0)
	if s.ahead.Abs() > store.LargestSkew {
		return broken(adviseClock, "the clocks differ by %s", rounded(s.ahead.Abs())).with("skew_seconds", s.ahead.Seconds())
	}
	return ok("they differ by %s", rounded(s.ahead.Abs())).with("skew_seconds", s.ahead.Seconds())
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

func (e *examination) checkSchema(ctx context.Context) finding {
	if err := e.ledger.CheckSchema(ctx); err != nil {
		if errors.Is(err, store.ErrDenied) {
			return failed(adviseGrants, err)
		}
		return failed(adviseMigrate, err)
	}
	return ok("the tables are those of this program")
}

func (e *examination) tryWriting(ctx context.Context) finding {
	if e.server.InRecovery {
		return misfit(advisePrimary, "the server is a standby, which only reads")
	}
	if err := e.ledger.TryWriting(ctx, "doctor-"+strings.ToLower(rand.Text())); err != nil {
		return failed(adviseGrants, err)
	}
	return ok("a run could be written, and the grants on every table suffice; nothing was kept")
}
