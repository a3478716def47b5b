// Command peers archives the same users with vlens-archiver, with a Bento
// pipeline, with a Python script and with the floor, in turn, and writes how
// they compare to bench/RESULTS.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"vlens-archiver/bench/figures"
	"vlens-archiver/bench/site"
)

// The cases. Users are so many that the slowest client works for about fifteen
// seconds and the quickest for about three, on two cores.
var cases = []struct {
	figures.Case
	users int
}{
	{figures.Case{ImageBytes: 100 << 10, InFlight: 16}, 600},
	{figures.Case{ImageBytes: 300 << 10, InFlight: 16}, 600},
	{figures.Case{ImageBytes: 3 << 20, InFlight: 16}, 60},
	{figures.Case{ImageBytes: 300 << 10, InFlight: 64}, 600},
	{figures.Case{ImageBytes: 300 << 10, InFlight: 64, Latency: 20 * time.Millisecond}, 600},
}

func main() {
	var b bench
	flag.StringVar(&b.programs.ours, "program", "bin/vlens-archiver", "the program to measure")
	flag.StringVar(&b.programs.before, "before", "", "another build of the program, measured beside it as client \"before\"")
	flag.StringVar(&b.programs.floor, "floor", "bin/floor", "the floor")
	flag.StringVar(&b.programs.bento, "bento", "bin/bento", "Bento")
	flag.StringVar(&b.programs.python, "python", "/usr/bin/python3", "a Python with requests, boto3 and psycopg2")
	clients := flag.String("clients", strings.Join(allClients, ","), "whom to measure, separated by commas")
	sizes := flag.String("sizes", "", "only cases with these image sizes in `KiB`, separated by commas")
	inFlight := flag.Int("in-flight", 0, "only cases with so many images in flight")
	flag.IntVar(&b.rounds, "rounds", 3, "how often each client takes its turn")
	flag.BoolVar(&b.again, "again", false, "forget what was measured before")
	page := flag.Bool("page", false, "measure nothing, only write the page")
	flag.StringVar(&b.out, "out", "bench", "the folder of RESULTS.md and of the measurements")
	flag.Parse()

	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer release()
	b.clients = strings.Split(*clients, ",")
	if b.programs.before != "" {
		b.clients = append(b.clients, figures.Before)
	}
	err := b.choose(*sizes, *inFlight)
	if err == nil && !*page {
		err = b.measure(ctx)
	}
	if err = errors.Join(err, figures.WritePage(b.out)); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1) // nothing is left to release
	}
}

// bench is what is to be measured.
type bench struct {
	programs programs
	clients  []string
	sizes    map[int]bool // in bytes; nil for all
	inFlight int          // 0 for all
	rounds   int
	again    bool
	out      string
}

// measure does the turns that are not in the file of measurements yet.
func (b *bench) measure(ctx context.Context) error {
	if err := b.programs.check(ctx, b.clients); err != nil {
		return err
	}
	done, err := b.before()
	if err != nil {
		return err
	}
	for _, c := range cases {
		turns := b.missing(done, c.Case)
		if !b.chosen(c.Case) || len(turns) == 0 {
			continue
		}
		if err := b.runCase(ctx, c.Case, c.users, turns); err != nil {
			return fmt.Errorf("%s: %w", figures.CaseName(c.Case), err)
		}
	}
	return nil
}

// runCase starts a site of its own, so that no case inherits another's files.
func (b *bench) runCase(ctx context.Context, c figures.Case, users int, turns []turn) (err error) {
	s, err := site.Start(ctx, site.Options{ObjectsInMemory: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	field, err := prepare(ctx, s, c, users)
	if err != nil {
		return err
	}
	for _, t := range turns {
		result, err := field.run(ctx, b.programs, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.client, err)
		}
		fmt.Fprintf(os.Stderr, "%s · round %d · %-14s %6.0f images/s  %6.2f s CPU per 1,000  %4.0f MiB\n",
			figures.CaseName(c), t.round, t.client, result.ImagesPerSecond(), result.CPUPerThousand(), float64(result.PeakBytes)/(1<<20))
		if err := figures.Append(figures.ComparisonsFile(b.out), result); err != nil {
			return err
		}
	}
	return nil
}
