package main

import (
	"fmt"
	"time"

	"vlens-archiver/bench/site"
)

// page is the result for readers.
func page(r result, s site.Setting, length time.Duration) string {
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

Measured with `+"`make bench-quota`"+` on %s, %s, %s.
Program: %s.
`,
		processes, processes, length, perSecond, perMinute, latency,
		r.requests, r.peakSecond, perSecond, r.peakMinute, perMinute, r.violations, r.throttled,
		share(r.mean), share(float64(r.emptiest)), share(float64(r.fullest)), leastShare,
		s.At.Format(time.DateOnly), s.Machine, s.Servers, s.Program)
}
