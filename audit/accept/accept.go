package accept

import (
	"context"
	"fmt"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Ledger is what an act reads of the ledger, and the rows that it adds.
type Ledger interface {
	LedgerID(ctx context.Context) (string, error)
	// AddExceptions adds the act's rows about the users chosen, up to a number that
	// it sets, together with the statement that state writes first and whose key and
	// hash it puts into the rows. An error of state is returned as it is.
	AddExceptions(ctx context.Context, act store.Exception, choice store.ExceptionChoice, state func(context.Context, []store.Exception) error) (added, already int, err error)
	// ExceptionStatements are the keys of the statements whose rows the ledger has.
	ExceptionStatements(ctx context.Context) (map[string]bool, error)
	// EnterExceptions adds the rows of a statement that stands in the bucket, unless
	// they are there.
	EnterExceptions(ctx context.Context, exceptions []store.Exception) (entered bool, err error)
}

// Bucket is what an act reads of the bucket, and the objects that it writes.
type Bucket interface {
	audit.Getter
	audit.Lister
	audit.Putter
}

// Register keeps the acts.
type Register struct {
	Ledger Ledger
	Bucket Bucket
	Layout manifest.Layout
	// Identity is the archive that the bucket must hold.
	Identity store.ArchiveIdentity
	Account  string // that runs the program
	Tool     manifest.Tool
}

// Kept is what an act left behind.
type Kept struct {
	Users   int `json:"users"`
	Already int `json:"already"` // users about whom it said nothing new
	// Statements are the keys of the statements in the bucket, one for as many users
	// as one statement may be of.
	Statements []string `json:"statements"`
	// Finished are the keys of statements of an earlier call that died before the
	// ledger had its rows.
	Finished []string `json:"finished"`
}

// Keep states the act about the users chosen and enters it in the ledger. Act
// gives what is done, by whom and why; a choice that does not fit is
// store.ErrSelection, and nothing is kept.
//
// A statement is durable before its rows. What an earlier call stated and did not
// live to enter is entered first, so that a call that is repeated says nothing
// twice.
func (r Register) Keep(ctx context.Context, act store.Exception, choice store.ExceptionChoice) (Kept, error) {
	kept := Kept{Statements: []string{}, Finished: []string{}}
	if err := audit.CheckReason(act.Reason); err != nil {
		return kept, err
	}
	if err := audit.CheckActor(act.Actor); err != nil {
		return kept, err
	}
	if err := audit.CheckArchive(ctx, r.Bucket, r.Layout, r.Identity); err != nil {
		return kept, err
	}
	ledgerID, err := r.Ledger.LedgerID(ctx)
	if err != nil {
		return kept, err
	}
	if kept.Finished, err = r.finish(ctx, ledgerID); err != nil {
		return kept, fmt.Errorf("finish what an earlier call began: %w", err)
	}
	for {
		var key string
		added, already, err := r.Ledger.AddExceptions(ctx, act, choice, func(ctx context.Context, exceptions []store.Exception) (err error) {
			key, err = r.state(ctx, ledgerID, exceptions)
			return err
		})
		if err != nil {
			return kept, fmt.Errorf("keep what is %s: %w", act.Act, err)
		}
		if len(kept.Statements) == 0 {
			kept.Already = already
		}
		if added == 0 {
			return kept, nil
		}
		kept.Users += added
		kept.Statements = append(kept.Statements, key)
		if len(choice.UserIDs) > 0 {
			return kept, nil
		}
	}
}

// acts name a statement by what it is of.
var acts = map[store.ExceptionAct]string{store.ExceptionAccepted: "accept", store.ExceptionWithdrawn: "withdraw"}

// state writes the statement of the exceptions, and puts its key and hash into
// them.
func (r Register) state(ctx context.Context, ledgerID string, exceptions []store.Exception) (key string, err error) {
	at := exceptions[0].At
	id := manifest.NewStatementID(acts[exceptions[0].Act], at)
	body, err := manifest.NewExceptionStatement(id, ledgerID, r.Account, exceptions, r.Tool).Encode()
	if err != nil {
		return "", err
	}
	key = r.Layout.Audit(at, id)
	for n := range exceptions {
		exceptions[n].AuditKey, exceptions[n].AuditSHA256 = key, audit.HashOf(body)
	}
	return key, audit.PutStatement(ctx, r.Bucket, key, body)
}
