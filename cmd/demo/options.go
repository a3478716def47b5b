package main

import (
	"flag"
	"fmt"
	"io"

	"vlens-archiver/vlens/vlenstest"
)

// mostUsers keeps the folder, about half a MiB a user, to a few GiB.
const mostUsers = 10_000

const helpText = `Archives synthetic people on services that it starts itself, runs a second time,
and leaves a folder to look at.

  demo [--users N] [--dir DIR] [--keep]

  --users N  how many people, 1 to 10000 (default 200)
  --dir DIR  the folder; new, empty, or one of an earlier demo (default demo-archive)
  --keep     keep PostgreSQL, S3 and the simulator running until Ctrl-C

Example:
  go run ./cmd/demo --users 20 --keep

Exit codes: 0 the folder holds what it must, 1 it does not, 4 bad usage,
130 or 143 stopped by a signal.
`

type options struct {
	users int
	dir   string
	keep  bool
	help  bool
}

// usageError is a command line that cannot be understood.
type usageError struct{ problem string }

// Error says what is wrong with the command line.
func (e *usageError) Error() string { return e.problem }

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.users, "users", vlenstest.DemoPeople, "")
	flags.StringVar(&o.dir, "dir", "demo-archive", "")
	flags.BoolVar(&o.keep, "keep", false, "")
	flags.BoolVar(&o.help, "help", false, "")
	flags.BoolVar(&o.help, "h", false, "")
	if err := flags.Parse(args); err != nil {
		return o, &usageError{err.Error()}
	}
	switch {
	case flags.NArg() > 0:
		return o, &usageError{"it takes no arguments, only flags"}
	case o.users < 1 || o.users > mostUsers:
		return o, &usageError{fmt.Sprintf("--users %d: expected 1 to %d", o.users, mostUsers)}
	case o.dir == "":
		return o, &usageError{"--dir: expected a folder"}
	}
	return o, nil
}
