package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vlens-archiver/store"
)

// ExceptionStatement says whose settled failures a person accepted, or no longer
// accepts, and why.
type ExceptionStatement struct {
	Act    store.ExceptionAct `json:"act"`
	Reason string             `json:"reason"`
	// Account is the account that ran the program; the actor is who the person
	// says to be.
	Account  string             `json:"account"`
	Subjects []ExceptionSubject `json:"subjects"`
}

// ExceptionSubject is one user of an ExceptionStatement.
type ExceptionSubject struct {
	Subject store.Subject `json:"subject"`
	// Transaction is the user's newest verification. Unless a listing had named it,
	// VerifiedAt is that of the user's row, exactly as the row has it.
	Transaction string      `json:"transaction_id,omitempty"`
	VerifiedAt  time.Time   `json:"verified_at,omitzero"`
	Class       store.Class `json:"class"`
}

// NewExceptionStatement states one act of a person about these users; all of the
// exceptions have the same act, reason, actor and time.
func NewExceptionStatement(id, ledgerID, account string, exceptions []store.Exception, tool Tool) Statement {
	first := exceptions[0]
	stated := &ExceptionStatement{Act: first.Act, Reason: first.Reason, Account: account}
	for _, e := range exceptions {
		stated.Subjects = append(stated.Subjects, ExceptionSubject{e.Subject, e.Transaction, e.VerifiedAt.UTC(), e.Class})
	}
	return Statement{
		Schema: StatementSchema, ID: id, At: Time(first.At), Actor: first.Actor, LedgerID: ledgerID, Exception: stated, Tool: tool,
	}
}

// Exceptions is the statement of exceptions in the words of the ledger. Key and
// hash are the statement's own.
func (s Statement) Exceptions(key, sha256 string) []store.Exception {
	exceptions := make([]store.Exception, 0, len(s.Exception.Subjects))
	for _, of := range s.Exception.Subjects {
		exceptions = append(exceptions, store.Exception{
			Subject: of.Subject, Transaction: of.Transaction, VerifiedAt: of.VerifiedAt, Class: of.Class,
			Act: s.Exception.Act, Reason: s.Exception.Reason, Actor: s.Actor, At: s.At, AuditKey: key, AuditSHA256: sha256,
		})
	}
	return exceptions
}

// check refuses what no ledger could take: whoever may write under audit/ must not
// be able to make one unusable.
func (x ExceptionStatement) check(actor string) error {
	known := []store.ExceptionAct{store.ExceptionAccepted, store.ExceptionWithdrawn}
	switch {
	case !slices.Contains(known, x.Act):
		return fmt.Errorf("its act is %q", x.Act)
	case x.Reason == "" || actor == "" || strings.ContainsRune(x.Reason+actor, 0):
		return errors.New("its reason or actor is none")
	case len(x.Subjects) == 0:
		return errors.New("it is about nobody")
	}
	last := store.Subject("")
	for _, of := range x.Subjects {
		switch {
		case !of.Subject.Valid():
			return errors.New("a subject is none")
		case of.Subject <= last:
			return errors.New("its subjects are not in order, or one is twice in it")
		case of.Class == store.ClassNone || strings.ContainsRune(string(of.Class)+of.Transaction, 0):
			return errors.New("the class or the transaction of a subject is none")
		}
		last = of.Subject
	}
	return nil
}
