package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/audit"
	"vlens-archiver/audit/accept"
	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// acceptance is what the flags of accept say.
type acceptance struct {
	users    []string
	class    string
	reason   string
	actor    string
	withdraw bool
	list     bool
	asJSON   bool
}

func (p *program) acceptCommand() *cobra.Command {
	var a acceptance
	cmd := &cobra.Command{
		Use:   "accept",
		Short: "Accept, as a named person, what cannot be had",
		Long: `A person accepts failures that trying again cannot mend, such as an image that no
longer exists at Vlens: of the users with these ids, or of all who fail with one
class now. They are counted apart from then on, in status, report and metrics, and
alerts leave them out. Only settled failures are accepted; one user whose failure
may pass by itself, and nothing is written of anybody.

It holds until the user's verification changes: another one, or another failure.
Users are still asked for once in thirty days. --withdraw takes it back.

Who accepts and why is stated under audit/ in the bucket and in the ledger, and
stays there for ever; its hash goes into the evidence log with the next seal.`,
		Example: `  vlens-archiver accept --class gone --reason "asked Vlens, ticket 881" --actor "Mona Adel"
  vlens-archiver accept --user 4711 --user 4712 --reason "customers left" --actor "Mona Adel"
  vlens-archiver accept --withdraw --user 4711 --reason "Vlens restored it" --actor "Mona Adel"
  vlens-archiver accept --list`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.check(); err != nil {
				return usage(cmd, err.Error())
			}
			return p.plain(func(ctx context.Context) error {
				if a.list {
					return p.listAccepted(ctx, a.asJSON)
				}
				return p.accept(ctx, a)
			})(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&a.users, "user", nil, "user `ID`; may be repeated")
	flags.StringVar(&a.class, "class", "", "all users who fail with this `CLASS` now: "+store.SettledNames())
	flags.StringVar(&a.reason, "reason", "", "`TEXT` that is kept for ever; required")
	flags.StringVar(&a.actor, "actor", "", "`NAME` of the person who accepts; required")
	flags.BoolVar(&a.withdraw, "withdraw", false, "take back what was accepted")
	flags.BoolVar(&a.list, "list", false, "list what is accepted now")
	jsonFlag(cmd, &a.asJSON)
	_ = cmd.RegisterFlagCompletionFunc("class", cobra.FixedCompletions(store.SettledClasses(), cobra.ShellCompDirectiveNoFileComp)) // fails for an unknown flag only
	return cmd
}

// check says what is wrong with the flags.
func (a acceptance) check() error {
	chosen := len(a.users) > 0 || a.class != ""
	if a.list {
		if chosen || a.reason != "" || a.actor != "" || a.withdraw {
			return errors.New("--list goes with --json only")
		}
		return nil
	}
	switch {
	case !chosen:
		return errors.New("choose users with --user or --class, or use --list")
	case len(a.users) > 0 && a.class != "":
		return errors.New("--user and --class do not go together")
	case slices.Contains(a.users, ""):
		return errors.New("--user: an id is empty")
	case a.class != "" && !store.Class(a.class).Settled():
		return errors.New("--class: only settled failures can be accepted: " + store.SettledNames())
	}
	if err := audit.CheckReason(a.reason); err != nil {
		return errors.New("--reason: " + err.Error())
	}
	if err := audit.CheckActor(a.actor); err != nil {
		return errors.New("--actor: " + err.Error())
	}
	return nil
}

func (p *program) accept(ctx context.Context, a acceptance) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	evidence, err := app.OpenEvidence(ctx, cfg)
	if err != nil {
		return err
	}
	defer evidence.Ledger.Close()
	act := store.Exception{Act: store.ExceptionAccepted, Reason: a.reason, Actor: a.actor}
	if a.withdraw {
		act.Act = store.ExceptionWithdrawn
	}
	kept, err := accept.Register{
		Ledger:   evidence.Ledger,
		Bucket:   evidence.Bucket,
		Layout:   evidence.Layout,
		Identity: evidence.Identity,
		Account:  actor(),
		Tool:     tool(),
	}.Keep(ctx, act, store.ExceptionChoice{UserIDs: a.users, Class: store.Class(a.class)})
	if err != nil {
		return err
	}
	if a.asJSON {
		return p.printJSON(statedAcceptance{act.Act, kept})
	}
	return p.print(acceptanceText(act.Act, kept))
}

// statedAcceptance is what accept prints with --json.
type statedAcceptance struct {
	Act store.ExceptionAct `json:"act"`
	accept.Kept
}

func acceptanceText(act store.ExceptionAct, kept accept.Kept) string {
	var text page
	for _, key := range kept.Finished {
		text.line("note: an earlier call was interrupted; what it stated in %s holds now", key)
	}
	switch {
	case kept.Users == 0 && kept.Already > 0:
		text.line("nothing new: %s users are accepted already", progress.Count(int64(kept.Already)))
		return text.String()
	case kept.Users == 0:
		text.line("nobody fails with it, or is accepted: nothing was written")
		return text.String()
	}
	text.line("%s: %s users", act, progress.Count(int64(kept.Users)))
	if kept.Already > 0 {
		text.line("accepted already: %s", progress.Count(int64(kept.Already)))
	}
	for _, key := range kept.Statements {
		text.line("stated in %s", key)
	}
	if act == store.ExceptionWithdrawn {
		text.line("next: vlens-archiver backfill --failed, to try again at once")
	}
	return text.String()
}

func (p *program) listAccepted(ctx context.Context, asJSON bool) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	ledger, err := app.OpenLedger(ctx, cfg)
	if err != nil {
		return err
	}
	defer ledger.Close()
	accepted, err := ledger.Accepted(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(stateAccepted(accepted))
	}
	return p.print(acceptedText(accepted))
}

// statedException is a line of --list with --json. UserID is null for users whom
// the source is not known to have.
type statedException struct {
	UserID      *string       `json:"user_id"`
	Subject     store.Subject `json:"subject"`
	Class       store.Class   `json:"class"`
	Transaction *string       `json:"transaction_id"`
	At          time.Time     `json:"at"`
	Actor       string        `json:"actor"`
	Reason      string        `json:"reason"`
	AuditKey    string        `json:"audit_key"`
}

func stateAccepted(accepted []store.StandingException) []statedException {
	stated := make([]statedException, 0, len(accepted))
	for _, e := range accepted {
		line := statedException{
			Subject: e.Subject, Class: e.Class, Transaction: manifest.TransactionID(e.Transaction),
			At: manifest.Time(e.At), Actor: e.Actor, Reason: e.Reason, AuditKey: e.AuditKey,
		}
		if e.UserID != "" {
			line.UserID = &e.UserID
		}
		stated = append(stated, line)
	}
	return stated
}

func acceptedText(accepted []store.StandingException) string {
	var text page
	if len(accepted) == 0 {
		text.line("nothing is accepted now")
		return text.String()
	}
	rows := [][]string{{"USER", "SUBJECT", "CLASS", "ACCEPTED", "BY", "REASON"}}
	for _, e := range accepted {
		rows = append(rows, []string{dash(e.UserID), string(e.Subject), string(e.Class), instant(e.At), e.Actor, e.Reason})
	}
	text.table(rows)
	return text.String()
}
