package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"vlens-archiver/audit/verify"
	"vlens-archiver/bench/site"
	"vlens-archiver/internal/testservices/s3server"
)

// result is all that was measured.
type result struct {
	images              int
	bytes               int64
	small, decoding     site.Usage // verifications of the small archive, and with all pixels decoded
	downloads, verifies []site.Usage
}

func median(all []site.Usage) site.Usage {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b site.Usage) int { return cmp.Compare(a.Seconds, b.Seconds) })
	return sorted[len(sorted)/2]
}

// speed is in MB/s of images.
func (r result) speed(t site.Usage) float64 { return float64(r.bytes) / 1e6 / t.Seconds }

func (r result) share() float64 { return r.speed(median(r.verifies)) / r.speed(median(r.downloads)) }

// flat is how many times the memory grows when the archive does, from the small
// to the large one.
func (r result) flat() float64 {
	return float64(median(r.verifies).PeakBytes) / float64(r.small.PeakBytes)
}

func (r result) broken() error {
	var broken []error
	if share := r.share(); share < leastShare {
		broken = append(broken, fmt.Errorf("a deep verification has %.0f %% of the plain speed, %.0f %% are promised", 100*share, 100*leastShare))
	}
	if r.flat() > 1.25 {
		broken = append(broken, fmt.Errorf("memory grew %.2f times with the archive", r.flat()))
	}
	return errors.Join(broken...)
}

// plain measures the plain program, which is this one under a flag.
func (s *services) plain(ctx context.Context) (site.Usage, error) {
	self, err := os.Executable()
	if err != nil {
		return site.Usage{}, err
	}
	environment := []string{"AWS_REGION=" + s3server.Region, "BENCH_ENDPOINT=" + s.S3.Endpoint()}
	output, usage, err := s.Output(ctx, "plain", environment, self, "-plain")
	if err != nil {
		return usage, err
	}
	var read int64
	if _, err := fmt.Sscan(output, &read); err != nil {
		return usage, fmt.Errorf("the plain program said %q: %w", output, err)
	}
	if read < s.bytes {
		return usage, fmt.Errorf("the plain program read %d of %d bytes", read, s.bytes)
	}
	return usage, nil
}

// verify measures a deep verification, which must find nothing and leave nothing
// out.
func (s *services) verify(ctx context.Context, program, decode string) (site.Usage, error) {
	output, usage, err := s.Output(ctx, "verify", nil, program, "--config", s.config(), "verify", "--deep", "--decode", decode, "--json")
	if err != nil {
		return usage, err
	}
	var report verify.Report
	if err := json.Unmarshal([]byte(output), &report); err != nil {
		return usage, fmt.Errorf("read the report: %w", err)
	}
	if report.Damaged > 0 || report.Counts.Images != int64(s.images) || report.Counts.BytesRead < s.bytes {
		return usage, fmt.Errorf("the verification is not of the archive: %+v", report)
	}
	return usage, nil
}
