package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
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
		switch {
		case classed:
			return "every image of the newest verification is stored; the last attempt had trouble: " + info.Meaning
		case !user.UnlistedAt.IsZero():
			return "every image of the newest verification is stored; Vlens no longer lists the user, since " + instant(user.UnlistedAt)
		}
		return "every image of the newest verification is stored"
	case store.StatePartial:
		return "of the newest verification some images are stored, not all: " + info.Meaning
	}
	if user.Holder != nil {
		return info.Meaning + ": " + holderText(*user.Holder)
	}
	return info.Meaning
}

// holderText says who holds a transaction, and whether that user is still there:
// whoever registered anew under the same number has a user who left before.
func holderText(holder store.TransactionHolder) string {
	who := "subject " + string(holder.Subject)
	if holder.UserID != "" {
		who += ", user " + holder.UserID
	}
	if holder.LeftAt.IsZero() {
		return who + ", who is in the source"
	}
	return who + ", who left the source at " + instant(holder.LeftAt)
}

// next says what will happen to the user, and when.
func next(user store.UserStatus, now time.Time) string {
	switch {
	case user.LeaseProcess != "":
		return "process " + user.LeaseProcess + " works on the user now"
	case !user.LeftAt.IsZero():
		return "nothing: the user left the source at " + instant(user.LeftAt)
	case user.NextDueAt.IsZero():
		return "nothing, until the user's row changes or a backfill names the user: worker.recheck_after is 0"
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
		{"last found complete", instant(user.ArchivedAt)},
		{"failed attempts in a row", progress.Count(int64(user.Attempts))},
	}...))
	if len(user.Verifications) > 0 {
		text.line("")
		text.table(verificationRows(user.Verifications))
	}
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

// verificationRows lists the verifications of a user, the newest first.
func verificationRows(lines []store.VerificationLine) [][]string {
	rows := [][]string{{"VERIFICATION", "", "STORED", "MISSING", "LAST RECORD", "ARCHIVED", "LAST TRIED", "CLASS"}}
	for _, v := range lines {
		newest, record := "", "-"
		if v.Newest {
			newest = "newest"
		}
		if v.Record.Sequence > 0 {
			record = path.Base(v.Record.Key)
		}
		var missing []string
		for _, image := range v.Missing {
			missing = append(missing, fmt.Sprintf("%s (%s)", image.Kind, missingText(image)))
		}
		rows = append(rows, []string{
			v.Transaction, newest, fmt.Sprint(v.Stored), dash(strings.Join(missing, ", ")), record, instant(v.Record.ArchivedAt), instant(v.TriedAt), dash(string(v.Class)),
		})
	}
	return rows
}

// missingText says why an image is not stored.
func missingText(image store.MissingImage) string {
	if image.State == store.ImageFailed && image.Class == store.ClassGone {
		return "said once to be gone"
	}
	return string(image.Class)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
