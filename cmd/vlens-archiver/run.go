package main

import (
	"github.com/spf13/cobra"

	"vlens-archiver/store"
)

func (p *program) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Archive the users who are due",
		Long: `Brings the list of users up to date, archives those who are due, and closes the
run with a statement of what was done. Stop it at any moment and run it again: it
goes on where it stopped.

With --run-id the run is of kind "scheduled": processes with the same id work on
one run, and one that is stopped by a signal leaves the run open for its
successor. Without it the run is of kind "manual" and has an id of its own.`,
		Example: `  vlens-archiver run --limit 10
  vlens-archiver run --run-id nightly-20261123 --max-duration 5h30m --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			kind := store.RunManual
			if f.runID != "" {
				kind = store.RunScheduled
			}
			return p.startRun(f, kind, store.Selection{})
		},
	}
	f.add(cmd)
	return cmd
}
