package main

import (
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/store"
)

// runFlags are the flags of the commands that take part in runs: run, backfill
// and schedule.
type runFlags struct {
	runID       string
	worker      string
	maxDuration time.Duration
	limit       int
	strict      bool
	acceptLeft  bool
	dryRun      bool
	asJSON      bool
}

// add gives the flags to a command that takes part in one run.
func (f *runFlags) add(cmd *cobra.Command) {
	f.addCommon(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.runID, "run-id", "", "open or join the run with this `ID`; without it the run has an id of its own")
	flags.BoolVar(&f.dryRun, "dry-run", false, "write nothing; say what the run would do, as plan does")
}

// addCommon gives the flags that also make sense for a command that takes part in
// one run after the other.
func (f *runFlags) addCommon(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.worker, "worker", "", "`NAME` of this process (default: the host's)")
	flags.DurationVar(&f.maxDuration, "max-duration", 0, "stop this process's part of a run after `DURATION`, such as 5h30m; what is left waits for the next run")
	flags.IntVar(&f.limit, "limit", 0, "this process archives at most `N` users of a run; 0 is no limit")
	flags.BoolVar(&f.strict, "strict", false, "exit 6 when work is left")
	flags.BoolVar(&f.acceptLeft, "accept-left", false, "mark missing users as left, however many they are")
	jsonFlag(cmd, &f.asJSON)
}

func (f *runFlags) check(cmd *cobra.Command) error {
	switch {
	case f.runID != "" && !store.ValidRunID(f.runID):
		return usage(cmd, badRunID("--run-id", f.runID))
	case f.limit < 0:
		return usage(cmd, "--limit: expected 0 or more")
	case f.maxDuration < 0:
		return usage(cmd, "--max-duration: expected 0 or more")
	}
	return nil
}
