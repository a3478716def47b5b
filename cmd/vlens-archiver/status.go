package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
)

func (p *program) statusCommand() *cobra.Command {
	var asJSON bool
	var userID string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show where the archive stands, or one user and why",
		Long: `Last runs, users by state, the oldest user not archived, how far the evidence log
is signed, failures by class, and the quota in use now. With --user: the state of
this user, why, and what comes next. Reads the ledger only.`,
		Example: `  vlens-archiver status
  vlens-archiver status --user 4711 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			ofUser := cmd.Flags().Changed("user")
			if ofUser && userID == "" {
				return usage(cmd, "--user: the id is empty")
			}
			return p.plain(func(ctx context.Context) error {
				if ofUser {
					return p.userStatus(ctx, cmd, userID, asJSON)
				}
				return p.status(ctx, asJSON)
			})(cmd, args)
		},
	}
	cmd.Flags().StringVar(&userID, "user", "", "the user with this `ID` of the user query")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (p *program) status(ctx context.Context, asJSON bool) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	ledger, err := app.OpenLedger(ctx, cfg)
	if err != nil {
		return err
	}
	defer ledger.Close()
	status, err := ledger.Status(ctx)
	if err != nil {
		return err
	}
	quota, err := app.QuotaNow(ctx, ledger, cfg)
	if err != nil {
		return err
	}
	signs := cfg.Evidence.SigningKey != ""
	if asJSON {
		return p.printJSON(stateStatus(status, quota, signs))
	}
	return p.print(statusText(status, quota, signs))
}

// coverage is the share of users who are archived, 0 to 1; 0 without users.
func coverage(s store.Status) float64 {
	if s.UsersTotal == 0 {
		return 0
	}
	return float64(s.Users[store.StateArchived]) / float64(s.UsersTotal)
}

func statusText(s store.Status, quota store.QuotaUse, signs bool) string {
	var text page
	text.line("%s", statesText(s.Users, s.UsersTotal, s.UsersLeft, s.UsersUnlisted))
	if s.UsersAccepted > 0 {
		text.line("%s accepted by a person: what they lack cannot be had; `vlens-archiver accept --list` names them", progress.Count(s.UsersAccepted))
	}
	// Rounded down: 100 % is said of everybody only.
	text.line("coverage %.1f %%", float64(int(1000*coverage(s)))/10)
	if s.OldestPendingAt.IsZero() {
		text.line("nobody waits for a first attempt")
	} else {
		text.line("oldest user waiting for a first attempt: %s, %s ago", instant(s.OldestPendingAt), progress.Span(s.At.Sub(s.OldestPendingAt)))
	}
	text.line("%s", statusLogText(s, signs))
	text.line("%s", quotaText(quota))

	if len(s.Runs) > 0 {
		text.line("")
		text.table(runRows(s.Runs))
	}
	if len(s.Failures) > 0 {
		text.line("")
		text.table(failureRows(s.Failures))
	}
	return text.String()
}

func runRows(runs []store.RunLine) [][]string {
	rows := [][]string{{"RUN", "STATUS", "STARTED", "TOOK", "ARCHIVED", "UNCHANGED", "PARTIAL", "NO IMAGES", "NOT FOUND", "FAILED", "IMAGES", "SIZE", "REQUESTS"}}
	for _, line := range runs {
		took := "-"
		if !line.Run.EndedAt.IsZero() {
			took = progress.Span(line.Run.EndedAt.Sub(line.Run.StartedAt))
		}
		row := []string{line.Run.ID, string(line.Run.Status), instant(line.Run.StartedAt), took}
		for _, outcome := range store.Outcomes {
			row = append(row, progress.Count(line.Outcomes[outcome]))
		}
		rows = append(rows, append(row, progress.Count(line.Images), progress.Bytes(line.Bytes), progress.Count(line.Requests)))
	}
	return rows
}

func failureRows(failures []store.FailureLine) [][]string {
	rows := [][]string{{"FAILURE", "USERS", "OLDEST", "TRIED AGAIN", "WHAT IT IS", "WHAT TO DO"}}
	for _, line := range failures {
		info, _ := line.Class.Info()
		rows = append(rows, []string{
			string(line.Class), progress.Count(line.Users), instant(line.OldestAt), pace(line.Settled), info.Meaning, info.Remedy,
		})
	}
	return rows
}

// statusLogText says how much of the archive is under a signed checkpoint, as the ledger
// knows it, and what is not; signs says whether there is a key to sign with.
func statusLogText(s store.Status, signs bool) string {
	var text string
	switch {
	case s.Log.Head.Size > 0:
		text = fmt.Sprintf("log: %s entries under the checkpoint signed %s, %s ago",
			progress.Count(s.Log.Head.Size), instant(s.SealedAt), progress.Span(s.At.Sub(s.SealedAt)))
	case signs:
		text = "log: nothing is sealed yet"
	default:
		text = "log: not sealed"
	}
	if unsealed := s.Log.Unsealed(); unsealed > 0 {
		text += fmt.Sprintf("; %s entries wait", progress.Count(unsealed))
	}
	if !signs {
		text += "; there is no signing key: evidence.signing_key is empty"
	}
	return text
}

func quotaText(use store.QuotaUse) string {
	var windows []string
	if use.PerMinute > 0 {
		windows = append(windows, fmt.Sprintf("%d of %d requests in the minute", use.MinuteUsed, use.PerMinute))
	}
	if use.PerSecond > 0 {
		windows = append(windows, fmt.Sprintf("%d of %d in the second", use.SecondUsed, use.PerSecond))
	}
	text := "quota: no limit is in force"
	if len(windows) > 0 {
		text = fmt.Sprintf("quota: %s, by %d processes", strings.Join(windows, ", "), use.Processes)
	}
	if use.CoolUntil.After(use.At) {
		text += "; throttled by Vlens, nothing is sent until " + instant(use.CoolUntil)
	}
	return text
}
