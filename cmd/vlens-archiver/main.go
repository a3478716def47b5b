// Command vlens-archiver copies onboarding evidence from the Vlens API into the
// company's own S3 bucket, proves that it is complete, and keeps an audit trail
// in Postgres.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // container images often carry no time zone database
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: it does what args say and returns the exit code.
// env is os.LookupEnv, or a stand-in for it.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, admit, release := watchSignals(ctx)
	defer release()

	p := &program{ctx: ctx, admit: admit, env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	err := p.execute(args)
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errStoppedAtOnce) {
		err = errStoppedAtOnce
	}
	if err != nil {
		_, _ = fmt.Fprint(stderr, explain(err)) // there is nowhere else to report it
	}
	return exitCode(err)
}
