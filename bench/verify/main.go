// Command verify measures how fast and in how much memory a deep verification
// reads an archive, beside the plainest program that downloads and hashes the
// same objects with the AWS SDK, and writes both to bench/VERIFY.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"vlens-archiver/bench/site"
)

const (
	rounds   = 5
	parallel = 16 // of both programs
	// leastShare of the plain program's speed is promised.
	leastShare = 0.60
	// sizes are the archives in which memory is measured; speed in the last.
	smallMiB, largeMiB = 256, 1024
)

func main() {
	program := flag.String("program", "bin/vlens-archiver", "the program to measure")
	out := flag.String("out", "bench/VERIFY.md", "where the result goes")
	plain := flag.Bool("plain", false, "be the plain program: download and hash what the environment names")
	flag.Parse()

	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer release()
	var err error
	if *plain {
		err = downloadAll(ctx)
	} else {
		err = bench(ctx, *program, *out)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench-verify: %v\n", err)
		os.Exit(1) // nothing is left to release
	}
}

// bench measures and writes the result. What breaks the promise is an error,
// after the result is written.
func bench(ctx context.Context, program, out string) (err error) {
	version, build, err := site.Identify(ctx, program)
	if err != nil {
		return err
	}
	place, err := site.Start(ctx, site.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.Stop()) }()
	s, err := begin(ctx, place)
	if err != nil {
		return err
	}
	var r result
	if err := s.grow(ctx, smallMiB<<20); err != nil {
		return err
	}
	if r.small, err = s.verify(ctx, program, "1%"); err != nil {
		return err
	}
	if err := s.grow(ctx, largeMiB<<20); err != nil {
		return err
	}
	for range rounds {
		download, err := s.plain(ctx)
		if err != nil {
			return err
		}
		verify, err := s.verify(ctx, program, "1%")
		if err != nil {
			return err
		}
		r.downloads, r.verifies = append(r.downloads, download), append(r.verifies, verify)
	}
	if r.decoding, err = s.verify(ctx, program, "100%"); err != nil {
		return err
	}
	r.images, r.bytes = s.images, s.bytes
	if err := os.WriteFile(out, []byte(page(r, s.Setting(ctx, version, build))), 0o644); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return r.broken()
}
