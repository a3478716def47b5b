package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// machine is what the figures were taken on.
type machine struct {
	processor, kernel         string
	program, postgres, server string // versions
}

func (s *services) describe(ctx context.Context, program string) (machine, error) {
	var m machine
	version, err := exec.CommandContext(ctx, program, "version").Output()
	if err != nil {
		return m, fmt.Errorf("version of the program: %w", err)
	}
	m.program, _, _ = strings.Cut(strings.TrimSpace(string(version)), "\n")

	db, err := pgx.Connect(ctx, s.postgres.URL("ledger"))
	if err != nil {
		return m, fmt.Errorf("version of the database: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	if err := db.QueryRow(ctx, `SHOW server_version`).Scan(&m.postgres); err != nil {
		return m, fmt.Errorf("version of the database: %w", err)
	}

	m.processor = "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, found := strings.Cut(string(info), "model name"); found {
			line, _, _ := strings.Cut(after, "\n")
			m.processor = strings.TrimSpace(strings.TrimLeft(line, "\t: "))
		}
	}
	m.kernel = runtime.GOOS
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.kernel += " " + strings.TrimSpace(string(release))
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if strings.HasPrefix(module.Path, "github.com/versity/versitygw") {
				m.server = module.Version
			}
		}
	}
	return m, nil
}

// page is the result for readers.
func page(r result, m machine, length time.Duration) string {
	return fmt.Sprintf(`# One quota, %d processes

%d processes of `+"`vlens-archiver run`"+` work on one run for %s, as fast as they may, against a simulated
tenant that allows %d requests in any second and %d in any minute, both ends of a window included, and
answers after %s. The processes are configured with the same limits and the default margin.

| | seen by the tenant | allowed |
|---|---|---|
| requests | %d | |
| most in any second | %d | %d |
| most in any minute | %d | %d |
| requests that found a window full | %d | 0 |
| throttle replies | %d | 0 |

In the minutes that end after the first one, taken at each second, %.1f %% of the minute's limit was used
(lowest %.1f %%, highest %.1f %%); at least %d %% is promised.

Measured with `+"`make bench-quota`"+` on %s, %d × %s, %s, %s, PostgreSQL %s, versitygw %s.
Program: %s.
`,
		processes, processes, length, perSecond, perMinute, latency,
		r.requests, r.peakSecond, perSecond, r.peakMinute, perMinute, r.violations, r.throttled,
		share(r.mean), share(float64(r.emptiest)), share(float64(r.fullest)), leastShare,
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), m.processor, m.kernel, runtime.Version(), m.postgres, m.server, m.program)
}
