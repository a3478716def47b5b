// Command quota measures how three processes of vlens-archiver share the
// vendor's request limits: it starts them on one run against a simulated tenant
// that counts strictly, and writes what the tenant saw to bench/QUOTA.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"vlens-archiver/bench/site"
)

// The limits of the tenant, which the processes are configured to obey.
const (
	perSecond = 20
	perMinute = 300
	processes = 3
	// people are more than the processes can archive in the longest measurement
	// that makes sense, so that they never run dry.
	people     = 4_000
	imageBytes = 300 << 10
	latency    = 50 * time.Millisecond // of every answer
)

func main() {
	program := flag.String("program", "bin/vlens-archiver", "the program to measure")
	out := flag.String("out", "bench/QUOTA.md", "where the result goes")
	length := flag.Duration("for", 2*time.Minute, "how long to measure; at least two minutes for a steady state")
	flag.Parse()

	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer release()
	if err := bench(ctx, *program, *out, *length); err != nil {
		fmt.Fprintf(os.Stderr, "bench-quota: %v\n", err)
		os.Exit(1) // nothing is left to release
	}
}

// bench measures and writes the result. What breaks a promise of the quota is
// an error, after the result is written.
func bench(ctx context.Context, program, out string, length time.Duration) (err error) {
	version, build, err := site.Identify(ctx, program)
	if err != nil {
		return err
	}
	s, err := site.Start(ctx, site.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	t, err := startTenant(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	setting := s.Setting(ctx, version, build)
	if err := archive(ctx, s, t.baseURL, program, length); err != nil {
		return err
	}
	result := measure(t.Log(), length)
	result.violations = violations(t.Windows())
	if err := os.WriteFile(out, []byte(page(result, setting, length)), 0o644); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return result.broken()
}
