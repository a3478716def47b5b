package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/store/postgres"
)

func (p *program) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "migrate up|down|status",
		Short:   "Bring the ledger's tables up to date, or take the last step back",
		Long:    "Changes the tables of the schema \"archive\" in ledger.database_url. Programs that\nstart at once wait for each other.",
		Example: "  vlens-archiver migrate up",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(cmd, "name one: up, down or status")
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses every call
	}
	cmd.AddCommand(
		p.migration(postgres.Up, "Apply every step that is missing"),
		p.migration(postgres.Down, "Take the last step back; what only its tables hold is lost"),
		p.migration(postgres.Status, "List the steps and when each was applied"),
	)
	return cmd
}

func (p *program) migration(direction postgres.Direction, short string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     string(direction),
		Short:   short,
		Example: fmt.Sprintf("  vlens-archiver migrate %s --config config.yaml", direction),
		Args:    noArguments,
		RunE: p.plain(func(ctx context.Context) error {
			cfg, err := p.loadConfig()
			if err != nil {
				return err
			}
			steps, err := postgres.Migrate(ctx, cfg.Ledger.DatabaseURL, direction)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(stateSteps(steps))
			}
			return p.print(stepTable(steps))
		}),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// statedStep is one migration as --json states it; AppliedAt is null when it is
// not applied.
type statedStep struct {
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	AppliedAt *time.Time `json:"applied_at"`
}

func stateSteps(steps []postgres.Migration) []statedStep {
	stated := make([]statedStep, 0, len(steps))
	for _, step := range steps {
		stated = append(stated, statedStep{step.Version, step.Name, moment(step.AppliedAt)})
	}
	return stated
}

func stepTable(steps []postgres.Migration) string {
	rows := [][]string{{"STEP", "APPLIED"}}
	for _, step := range steps {
		rows = append(rows, []string{step.Name, instant(step.AppliedAt)})
	}
	var text page
	text.table(rows)
	return text.String()
}
