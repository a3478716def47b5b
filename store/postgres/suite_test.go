package postgres_test

import (
	"context"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/store/storetest"
)

// both is the ledger with the user query beside it.
type both struct {
	*postgres.Ledger
	users *postgres.Users
}

func (b both) Sync(ctx context.Context, request store.SyncRequest) (store.SyncResult, error) {
	return b.users.Sync(ctx, request)
}

func TestLedgerSuite(t *testing.T) {
	t.Parallel()
	storetest.RunLedgerSuite(t, func(t *testing.T) storetest.LedgerBench {
		return ledgerBench(newServices(t))
	})
}

func ledgerBench(s *services) storetest.LedgerBench {
	return storetest.LedgerBench{
		Ledger: both{s.ledger, s.users},
		SetUsers: func(t *testing.T, users ...store.User) {
			s.exec(t, `DELETE FROM app.users`)
			for _, user := range users {
				var verified any
				if !user.VerifiedAt.IsZero() {
					verified = user.VerifiedAt
				}
				s.exec(t, `INSERT INTO app.users (id, email, phone, transaction_id, verified_at) VALUES ($1, $2, $3, $4, $5)`,
					user.ID, user.Email.Reveal(), user.Phone.Reveal(), user.TransactionID, verified)
			}
		},
		Silence: func(t *testing.T, process string) { s.silence(t, process) },
		Age: func(t *testing.T, runID string) {
			s.exec(t, `UPDATE archive.runs SET started_at = started_at - interval '1 hour' WHERE run_id = $1`, runID)
		},
	}
}
