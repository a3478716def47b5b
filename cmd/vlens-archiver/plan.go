package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
	"vlens-archiver/worker"
)

func (p *program) planCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say what a run would do and how long it would take",
		Long: `Reads the user query and compares it with the ledger. Writes nothing, and asks
Vlens nothing: users due by reason, requests, days at the quota, bytes.
Unverified are those due of whom Vlens had nothing when it was last asked.`,
		Example: "  vlens-archiver plan --json",
		Args:    noArguments,
		RunE: p.plain(func(ctx context.Context) error {
			cfg, err := p.loadConfig()
			if err != nil {
				return err
			}
			return p.plan(ctx, cfg, store.Selection{}, 0, asJSON)
		}),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// plan works out and prints the plan of a run over the selection, or of the part
// of one process that archives at most limit users (0 is no limit).
func (p *program) plan(ctx context.Context, cfg *config.Config, selection store.Selection, limit int, asJSON bool) error {
	databases, err := app.OpenDatabases(ctx, cfg)
	if err != nil {
		return err
	}
	defer databases.Close()
	key, err := store.ParseSubjectKey(cfg.Archive.SubjectKey)
	if err != nil {
		return err
	}
	if _, err := databases.Ledger.CompareArchive(ctx, app.Identity(cfg, key)); err != nil {
		return err
	}
	figures, err := databases.Users.Plan(ctx, selection, limit, cfg.Source.AllowPersonalIDs, key)
	if err != nil {
		return err
	}
	plan := worker.NewPlan(figures, selection, app.PerMinute(cfg.Vlens.Quota, selection.PerMinute), time.Now())
	if asJSON {
		return p.printJSON(statePlan(plan))
	}
	return p.print(planText(plan))
}

// statedPlan is a plan as --json states it. Bytes are of images; the last two
// are null without a quota.
type statedPlan struct {
	Users       int64                     `json:"users"`
	New         int64                     `json:"new"`
	Changed     int64                     `json:"changed"`
	Returned    int64                     `json:"returned"`
	Left        int64                     `json:"left"`
	LeftHeld    int64                     `json:"left_held"`
	Undated     int64                     `json:"undated"`
	Due         map[store.DueReason]int64 `json:"due"`
	DueTotal    int64                     `json:"due_total"`
	Unverified  int64                     `json:"unverified"`
	Requests    int64                     `json:"requests"`
	Bytes       int64                     `json:"bytes"`
	FromHistory bool                      `json:"from_history"`
	Seconds     *int64                    `json:"seconds"`
	FinishAt    *time.Time                `json:"finish_at"`
}

func statePlan(plan worker.Plan) statedPlan {
	stated := statedPlan{
		Users:       plan.Sync.Users,
		New:         plan.Sync.New,
		Changed:     plan.Sync.Changed,
		Returned:    plan.Sync.Returned,
		Left:        plan.Sync.Left,
		LeftHeld:    plan.Sync.LeftHeld,
		Undated:     plan.Sync.Undated,
		Due:         make(map[store.DueReason]int64),
		DueTotal:    plan.DueTotal,
		Unverified:  plan.Unverified,
		Requests:    plan.Requests,
		Bytes:       plan.Bytes,
		FromHistory: plan.FromHistory,
		FinishAt:    moment(plan.Finish),
	}
	for _, reason := range store.DueReasons {
		stated.Due[reason] = plan.Due[reason]
	}
	if !plan.Finish.IsZero() {
		seconds := int64(plan.Duration.Seconds())
		stated.Seconds = &seconds
	}
	return stated
}

// reasonText says for people why users are due.
var reasonText = map[store.DueReason]string{
	store.DueNew:      "never archived",
	store.DueChanged:  "verified again, or the row changed",
	store.DueReturned: "had left, are there again",
	store.DueRetry:    "earlier attempt to be repeated",
	store.DueRecheck:  "archived, to be listed again",
}

func planText(plan worker.Plan) string {
	var text page
	text.line("%s users in the source: %s new, %s changed, %s returned, %s left",
		progress.Count(plan.Sync.Users), progress.Count(plan.Sync.New), progress.Count(plan.Sync.Changed),
		progress.Count(plan.Sync.Returned), progress.Count(plan.Sync.Left))
	if plan.Sync.LeftHeld > 0 {
		text.line("%s users are missing from the source, which is suspiciously many: a run would mark none as left and end with exit 1; check source.users_sql, or use --accept-left",
			progress.Count(plan.Sync.LeftHeld))
	}
	if plan.Sync.Undated > 0 {
		text.line("of %s users verified_at is before 2000 or after 2199, as where 0001-01-01 stands for none: it counts as unknown",
			progress.Count(plan.Sync.Undated))
	}

	text.line("")
	rows := [][]string{{"DUE", "USERS", "WHY"}}
	for _, reason := range store.DueReasons {
		rows = append(rows, []string{string(reason), progress.Count(plan.Due[reason]), reasonText[reason]})
	}
	text.table(append(rows, []string{"total", progress.Count(plan.DueTotal), "of these the run would take"}))

	if plan.Unverified > 0 {
		text.line("%s of those to be repeated are users of whom Vlens had nothing; each costs a request for each identifier again and again: if your database knows who has verified, put that condition into source.users_sql",
			progress.Count(plan.Unverified))
	}

	text.line("")
	basis := "assumed: six images of 300 KiB a user, the archive has no history yet"
	if plan.FromHistory {
		basis = "by the archive's own averages"
	}
	text.line("about %s requests and %s of images (%s)", progress.Count(plan.Requests), progress.Bytes(plan.Bytes), basis)
	if plan.Finish.IsZero() {
		text.line("no quota is configured, so there is no telling how long that takes")
	} else {
		text.line("at the quota that takes %s: finished %s if it starts now and runs through", progress.Span(plan.Duration), instant(plan.Finish))
	}
	return text.String()
}
