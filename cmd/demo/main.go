// Command demo archives synthetic people with everything the archiver needs on
// this machine: a simulated Vlens, a PostgreSQL and an S3 server that it starts
// and stops itself. It leaves a folder to look at, and checks that folder
// against what the simulator says must be in it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes, as vlens-archiver has them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitInvalid     = 4
	exitInterrupted = 128 + int(syscall.SIGINT)
	exitTerminated  = 128 + int(syscall.SIGTERM)
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

// run is the whole program: it does what args say and returns the exit code.
// The first signal stops it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	interrupted, release := signal.NotifyContext(ctx, syscall.SIGINT)
	defer release()
	ctx, releaseTerm := signal.NotifyContext(interrupted, syscall.SIGTERM)
	defer releaseTerm()

	err := execute(ctx, args, stdout, stderr)
	usage, isUsage := errors.AsType[*usageError](err)
	switch {
	case err == nil:
		return exitDone
	case isUsage:
		_, _ = fmt.Fprintf(stderr, "demo: %s\n  see: demo --help\n", usage.problem) // there is nowhere else to report it
		return exitInvalid
	case errors.Is(err, errFolder):
		_, _ = fmt.Fprintf(stderr, "demo: %s\n", err)
		return exitInvalid
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "demo: stopped by a signal; the folder is not complete")
		if interrupted.Err() != nil {
			return exitInterrupted
		}
		return exitTerminated
	default:
		_, _ = fmt.Fprintf(stderr, "demo: %s\n", err)
		return exitFailed
	}
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.help {
		_, err := io.WriteString(stdout, helpText)
		return err
	}
	return demonstrate(ctx, o, stdout, stderr)
}
