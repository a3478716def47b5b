// Command growth measures what vlens-archiver takes as the number of users grows:
// runs of 1,000 to 100,000 users, then a million users of whom hardly any are
// due. It writes the result to bench/RESULTS.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"vlens-archiver/bench/figures"
	"vlens-archiver/bench/site"
)

const (
	million     = 1_000_000
	firstUsers  = 20_000 // archived by the first run over the million
	changedRows = 1_000  // 0.1 % of the million
	imageBytes  = 5 << 10
	inFlight    = 64
	source      = "company" // database of the users
	ledger      = "archive" // database and bucket of the archive
)

func main() {
	var b bench
	flag.StringVar(&b.program, "program", "bin/vlens-archiver", "the program to measure")
	flag.StringVar(&b.out, "out", "bench", "the folder of RESULTS.md and of the measurements")
	runs := flag.Bool("runs", true, "runs of 1,000, 10,000 and 100,000 users, and a verification")
	many := flag.Bool("million", true, "a million users")
	flag.IntVar(&b.largest, "largest", 100_000, "no run with more `USERS`")
	flag.BoolVar(&b.again, "again", false, "measure again what was measured before")
	flag.IntVar(&b.scale, "scale", 1, "divide all numbers of users, to try the benchmark itself")
	flag.Parse()

	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer release()
	err := b.measure(ctx, *runs, *many)
	if err = errors.Join(err, figures.WritePage(b.out)); err != nil {
		fmt.Fprintf(os.Stderr, "bench-growth: %v\n", err)
		os.Exit(1) // nothing is left to release
	}
}

type bench struct {
	program, version, build string
	out                     string
	largest, scale          int
	again                   bool
	done                    []figures.Growth // with this build
}

func (b *bench) measure(ctx context.Context, runs, many bool) error {
	var err error
	if b.version, b.build, err = site.Identify(ctx, b.program); err != nil {
		return err
	}
	all, err := figures.Load[figures.Growth](figures.GrowthFile(b.out))
	if err != nil {
		return err
	}
	b.done = slices.DeleteFunc(all, func(g figures.Growth) bool { return g.Build != b.build })
	for _, users := range []int{1_000, 10_000, 100_000} {
		if !runs || users > b.largest || !b.again && b.has(figures.StepRun, users/b.scale) {
			continue
		}
		if err := b.onSite(ctx, func(s *site.Site) error { return b.run(ctx, s, users/b.scale) }); err != nil {
			return fmt.Errorf("run of %d users: %w", users/b.scale, err)
		}
	}
	if many && (b.again || !b.has(figures.StepChanged, million/b.scale)) {
		if err := b.onSite(ctx, func(s *site.Site) error { return b.million(ctx, s) }); err != nil {
			return fmt.Errorf("%d users: %w", million/b.scale, err)
		}
	}
	return nil
}

func (b *bench) has(step string, users int) bool {
	return slices.ContainsFunc(b.done, func(g figures.Growth) bool { return g.Step == step && g.Users == users })
}

// onSite gives the work a site of its own.
func (b *bench) onSite(ctx context.Context, work func(*site.Site) error) error {
	s, err := site.Start(ctx, site.Options{})
	if err != nil {
		return err
	}
	return errors.Join(work(s), s.Stop())
}

func (b *bench) keep(g figures.Growth) error {
	fmt.Fprintf(os.Stderr, "%-9s %9d users  %7.1f s  %7.2f s CPU  %4d MiB  %d requests\n",
		g.Step, g.Users, g.Seconds, g.CPUSeconds, g.PeakBytes>>20, g.Requests)
	return figures.Append(figures.GrowthFile(b.out), g)
}
