package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/bench/site"
	"vlens-archiver/internal/testservices/s3server"
)

const (
	source = "company"
	ledger = "ledger" // also the bucket
	// inFlight is the default of worker.concurrency.
	inFlight = 16
)

// archive lets the processes take part in one run for the given time.
func archive(ctx context.Context, s *site.Site, baseURL, program string, length time.Duration) error {
	if err := s.FillUsers(ctx, source, people); err != nil {
		return err
	}
	if err := s.S3.CreateBucket(ctx, ledger, s3server.Versioned); err != nil {
		return err
	}
	config, err := s.Configure(ctx, program, site.Archive{
		Name: ledger, Source: source, BaseURL: baseURL, Bucket: ledger,
		PerSecond: perSecond, PerMinute: perMinute, Concurrency: inFlight,
	})
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for n := range processes {
		name := fmt.Sprintf("worker-%d", n+1)
		group.Go(func() error {
			_, err := s.Measure(groupCtx, name, nil, program, "--config", config, "--log-format", "json",
				"run", "--run-id", "bench", "--worker", name, "--max-duration", (length + 5*time.Second).String())
			return err
		})
	}
	return group.Wait()
}
