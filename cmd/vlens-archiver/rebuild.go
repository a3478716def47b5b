package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/audit/rebuild"
	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
)

func (p *program) rebuildCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Fill an empty ledger from the bucket, after the ledger was lost",
		Long: `Reads records, run files, the log and the audit trail from the bucket and fills an
empty ledger with them; users are linked again by computing their subjects from
the source. Nothing is asked of Vlens, and the next run fetches nothing again.

All or nothing: when it is stopped or fails, the ledger is as empty as before. Keep
runs from starting meanwhile (suspend the CronJob); one that starts waits. What
only the ledger knew is listed in docs/evidence.md.`,
		Example: `  vlens-archiver migrate up
  vlens-archiver rebuild
  vlens-archiver verify`,
		Args: noArguments,
		RunE: p.plain(func(ctx context.Context) error { return p.rebuild(ctx, asJSON) }),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (p *program) rebuild(ctx context.Context, asJSON bool) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	screen := progress.NewScreen(p.stderr)
	log := p.logger(screen)
	hide := func() {}
	var leftOut []string
	rebuilt, err := app.Rebuild(ctx, cfg,
		func(r *rebuild.Rebuilder) { hide = watchRebuild(ctx, screen, isTerminal(p.stderr), log, r) },
		func(key string, why error) {
			leftOut = append(leftOut, key)
			log.Warn("an object does not prove itself and is left out", "event", "left_out", "key", key, "error", why.Error())
		})
	hide()
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(statedRebuild{rebuilt, append([]string{}, leftOut...)})
	}
	return p.print(rebuildText(rebuilt, len(leftOut)))
}

// rebuildLogEvery is the time between two log lines about a rebuild.
const rebuildLogEvery = time.Minute

// watchRebuild shows on stderr how far a rebuild is, until the returned function
// is called.
func watchRebuild(ctx context.Context, screen *progress.Screen, live bool, log *slog.Logger, r *rebuild.Rebuilder) (hide func()) {
	if live {
		return progress.Text(screen, func() string {
			now := r.Progress()
			return fmt.Sprintf("rebuild, now %s: %s records, %s outcomes, %s log entries", now.Phase,
				progress.Count(now.Records), progress.Count(now.Outcomes), progress.Count(now.Entries))
		})
	}
	return progress.Repeat(ctx, rebuildLogEvery, func(context.Context) {
		now := r.Progress()
		log.Info("progress", "event", "progress", "phase", now.Phase, "records", now.Records,
			"outcomes", now.Outcomes, "log_entries", now.Entries)
	})
}

// statedRebuild is what rebuild prints with --json: LeftOut are the keys of
// objects that do not prove themselves.
type statedRebuild struct {
	store.Rebuilt
	LeftOut []string `json:"left_out"`
}

func rebuildText(n store.Rebuilt, leftOut int) string {
	var text page
	text.line("the ledger has %s records of %s images, %s runs with %s outcomes", progress.Count(n.Records), progress.Count(n.Images),
		progress.Count(n.Runs), progress.Count(n.Outcomes))
	text.line("%s subjects, %s of them linked to users of the source; %s are due at once", progress.Count(n.Subjects),
		progress.Count(n.Linked), progress.Count(n.DueAtOnce))
	text.line("log: %s entries, %s entries wait for their place", progress.Count(n.LogEntries), progress.Count(n.Waiting))
	text.line("%s exports, %s verifications and %s exceptions", progress.Count(n.Exports), progress.Count(n.Verifications), progress.Count(n.Exceptions))
	if n.LostEntries > 0 {
		text.line("note: the objects of %s entries of the log are in no place", progress.Count(n.LostEntries))
	}
	if leftOut > 0 {
		text.line("note: %d objects do not prove themselves and were left out; the log on stderr names them", leftOut)
	}
	if n.Subjects > 0 && n.Linked == 0 {
		text.line("note: no subject is a user of the source; is source.users_sql the one of this archive?")
	}
	text.line("next: vlens-archiver verify")
	return text.String()
}
