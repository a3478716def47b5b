package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

func (p *program) userStatus(ctx context.Context, cmd *cobra.Command, userID string, asJSON bool) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	ledger, err := app.OpenLedger(ctx, cfg)
	if err != nil {
		return err
	}
	defer ledger.Close()
	user, err := ledger.UserStatus(ctx, userID)
	if errors.Is(err, store.ErrNotFound) {
		return usage(cmd, "--user: the ledger knows no user with this id; ids are those of source.users_sql, as of the last run")
	}
	if err != nil {
		return err
	}
	row := rowOf(ctx, cfg, userID, user)
	if asJSON {
		return p.printJSON(stateUser(user, row, time.Now()))
	}
	return p.print(userText(user, row, time.Now()))
}

// why says why the user is in this state, with what the user's row has to do with
// it.
func why(user store.UserStatus, row string) string {
	if row != "" {
		return whyState(user) + ": " + row
	}
	return whyState(user)
}

func whyState(user store.UserStatus) string {
	info, classed := user.LastClass.Info()
	switch user.State {
	case store.StatePending:
		return "no attempt has been finished yet"
	case store.StateNoImages:
		return "Vlens knows the user and lists no image"
	case store.StateNotFound:
		return "Vlens says that there is no such user"
	case store.StateArchived:
		if classed {
			return "every image listed then is stored; the last attempt had trouble: " + info.Meaning
		}
		return "every listed image is stored"
	case store.StatePartial:
		if classed {
			return "some images are stored, not all: " + info.Meaning
		}
		return "some images are stored, not all"
	}
	return info.Meaning
}

// next says what will happen to the user, and when.
func next(user store.UserStatus, now time.Time) string {
	switch {
	case user.LeaseProcess != "":
		return "process " + user.LeaseProcess + " works on the user now"
	case !user.LeftAt.IsZero():
		return "nothing: the user left the source at " + instant(user.LeftAt)
	case user.NextDueAt.IsZero():
		return "nothing, until the user's row changes or a backfill names the user"
	case user.NextDueAt.After(now):
		return fmt.Sprintf("due %s, in %s (%s)", instant(user.NextDueAt), progress.Span(user.NextDueAt.Sub(now)), reasonText[user.DueReason])
	}
	return fmt.Sprintf("due now, since %s (%s)", instant(user.NextDueAt), reasonText[user.DueReason])
}

func userText(user store.UserStatus, row string, now time.Time) string {
	var text page
	facts := [][]string{
		{"subject", string(user.Subject)},
		{"state", string(user.State)},
		{"why", why(user, row)},
		{"next", next(user, now)},
	}
	if accepted := user.Accepted; accepted != nil {
		facts = append(facts, []string{"accepted", fmt.Sprintf("by %s, %s: %s", accepted.Actor, instant(accepted.At), accepted.Reason)})
	} else if info, classed := user.LastClass.Info(); classed {
		facts = append(facts, []string{"to do", info.Remedy})
	}
	text.table(append(facts, [][]string{
		{"first seen", instant(user.FirstSeenAt)},
		{"verified", instant(user.VerifiedAt)},
		{"archived", instant(user.ArchivedAt)},
		{"failed attempts in a row", progress.Count(int64(user.Attempts))},
	}...))
	if len(user.Outcomes) > 0 {
		text.line("")
		rows := [][]string{{"RUN", "ENDED", "OUTCOME", "CLASS", "REQUESTS", "TRANSACTION"}}
		for _, o := range user.Outcomes {
			rows = append(rows, []string{o.RunID, instant(o.EndedAt), string(o.Outcome), dash(string(o.Class)), fmt.Sprint(o.Requests), dash(o.Transaction)})
		}
		text.table(rows)
	}
	if len(user.Records) > 0 {
		text.line("")
		rows := [][]string{{"RECORD", "ARCHIVED", "SHA-256"}}
		for _, r := range user.Records {
			rows = append(rows, []string{r.Key, instant(r.ArchivedAt), r.SHA256})
		}
		text.table(rows)
	}
	return text.String()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// statedUser is the state of a user as --json has it.
type statedUser struct {
	Subject      store.Subject   `json:"subject"`
	State        store.State     `json:"state"`
	Class        store.Class     `json:"class"`
	Why          string          `json:"why"`
	Next         string          `json:"next"`
	FirstSeenAt  *time.Time      `json:"first_seen_at"`
	VerifiedAt   *time.Time      `json:"verified_at"`
	LeftAt       *time.Time      `json:"left_at"`
	ArchivedAt   *time.Time      `json:"archived_at"`
	Attempts     int             `json:"attempts"`
	NextDueAt    *time.Time      `json:"next_due_at"`
	DueReason    store.DueReason `json:"due_reason"`
	LeaseProcess string          `json:"lease_process"`
	Accepted     *statedAccepted `json:"accepted"`
	Outcomes     []statedOutcome `json:"outcomes"`
	Records      []statedRecord  `json:"records"`
}

// statedAccepted says that a person has accepted what the user lacks.
type statedAccepted struct {
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Reason   string    `json:"reason"`
	AuditKey string    `json:"audit_key"`
}

type statedOutcome struct {
	RunID         string        `json:"run_id"`
	Outcome       store.Outcome `json:"outcome"`
	Class         store.Class   `json:"class"`
	TransactionID *string       `json:"transaction_id"`
	Requests      int           `json:"requests"`
	EndedAt       time.Time     `json:"ended_at"`
}

type statedRecord struct {
	Key        string    `json:"key"`
	VersionID  string    `json:"version_id"`
	SHA256     string    `json:"sha256"`
	ArchivedAt time.Time `json:"archived_at"`
}

func stateUser(user store.UserStatus, row string, now time.Time) statedUser {
	stated := statedUser{
		Subject: user.Subject, State: user.State, Class: user.LastClass, Why: why(user, row), Next: next(user, now),
		FirstSeenAt: moment(user.FirstSeenAt), VerifiedAt: moment(user.VerifiedAt), LeftAt: moment(user.LeftAt), ArchivedAt: moment(user.ArchivedAt),
		Attempts: user.Attempts, NextDueAt: moment(user.NextDueAt), DueReason: user.DueReason, LeaseProcess: user.LeaseProcess,
		Outcomes: make([]statedOutcome, 0, len(user.Outcomes)),
		Records:  make([]statedRecord, 0, len(user.Records)),
	}
	if a := user.Accepted; a != nil {
		stated.Accepted = &statedAccepted{manifest.Time(a.At), a.Actor, a.Reason, a.AuditKey}
	}
	for _, o := range user.Outcomes {
		stated.Outcomes = append(stated.Outcomes, statedOutcome{o.RunID, o.Outcome, o.Class, manifest.TransactionID(o.Transaction), o.Requests, manifest.Time(o.EndedAt)})
	}
	for _, r := range user.Records {
		stated.Records = append(stated.Records, statedRecord{r.Key, r.VersionID, r.SHA256, manifest.Time(r.ArchivedAt)})
	}
	return stated
}
