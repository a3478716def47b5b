package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"vlens-archiver/audit"
)

// taken is what one run of a program took.
type taken struct {
	wall, cpu time.Duration
	peak      int64 // bytes resident
}

// result is all that was measured.
type result struct {
	images              int
	bytes               int64
	small, decoding     taken // verifications of the small archive, and with all pixels decoded
	downloads, verifies []taken
}

func median(all []taken) taken {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b taken) int { return int(a.wall - b.wall) })
	return sorted[len(sorted)/2]
}

// speed is in MB/s of images.
func (r result) speed(t taken) float64 { return float64(r.bytes) / 1e6 / t.wall.Seconds() }

func (r result) share() float64 { return r.speed(median(r.verifies)) / r.speed(median(r.downloads)) }

// flat is how many times the memory grows when the archive does, from the small
// to the large one.
func (r result) flat() float64 { return float64(median(r.verifies).peak) / float64(r.small.peak) }

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
func (s *services) plain(ctx context.Context) (taken, error) {
	self, err := os.Executable()
	if err != nil {
		return taken{}, err
	}
	output, t, err := s.measure(ctx, self, "-plain")
	if err != nil {
		return t, err
	}
	var read int64
	if _, err := fmt.Sscan(output, &read); err != nil || read < s.bytes {
		return t, fmt.Errorf("the plain program read %q of %d bytes: %w", strings.TrimSpace(output), s.bytes, err)
	}
	return t, nil
}

// verify measures a deep verification, which must find nothing and leave nothing
// out.
func (s *services) verify(ctx context.Context, program, decode string) (taken, error) {
	output, t, err := s.measure(ctx, program, "--config", s.config(), "verify", "--deep", "--decode", decode, "--json")
	if err != nil {
		return t, err
	}
	var report audit.VerifyReport
	if err := json.Unmarshal([]byte(output), &report); err != nil {
		return t, fmt.Errorf("read the report: %w", err)
	}
	if report.Damaged > 0 || report.Counts.Images != int64(s.images) || report.Counts.BytesRead < s.bytes {
		return t, fmt.Errorf("the verification is not of the archive: %+v", report)
	}
	return t, nil
}

func (s *services) measure(ctx context.Context, program string, args ...string) (string, taken, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = s.environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	started := time.Now()
	if err := cmd.Run(); err != nil {
		return "", taken{}, fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, stderr.String())
	}
	t := taken{wall: time.Since(started), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.peak = usage.Maxrss << 10 // KiB on Linux
	}
	return stdout.String(), t, nil
}
