package main

import (
	"fmt"
	"strings"
	"time"

	"vlens-archiver/bench/site"
)

// page is the result for readers.
func page(r result, s site.Setting) string {
	var roundRows strings.Builder
	for n := range r.downloads {
		fmt.Fprintf(&roundRows, "| %d | %.0f | %.0f | %.0f %% |\n", n+1, r.speed(r.downloads[n]), r.speed(r.verifies[n]),
			100*r.speed(r.verifies[n])/r.speed(r.downloads[n]))
	}
	download, verify := median(r.downloads), median(r.verifies)
	return fmt.Sprintf(`# Deep verification beside a plain download

`+"`vlens-archiver verify --deep`"+` against the plainest program that lists the same objects, downloads each with the AWS SDK and hashes
it: %d images of %d KiB (JPEG, %d × %d pixels, with the grain of photographs), %.2f GB, and their records; both with %d
at a time, in turn, each a process of its own. Client, S3 server and database share the two cores, so that the shares
count and not the speeds.

| round | plain MB/s | verify MB/s | share |
|---|---|---|---|
%s
By the medians verify has **%.0f %%** of the plain speed; at least %.0f %% is promised. It took %.2f s of CPU, the plain
program %.2f s.

| | peak memory |
|---|---|
| verify, %d MiB of images | %.0f MiB |
| verify, %.0f MiB of images | %.0f MiB |
| plain, %.0f MiB of images | %.0f MiB |

The pixels of 1 %% of the images are decoded, which is the default. With `+"`--decode 100%%`"+` verify reads %.0f MB/s, %.0f %% of
the plain speed, and %.0f MiB are its peak: a decoder needs some 20 ms of CPU for such an image, hashing it 0.2 ms.

Measured with `+"`make bench-verify`"+` on %s, %s, %s. Program: %s.
`,
		r.images, r.bytes/int64(r.images)>>10, width, height, float64(r.bytes)/1e9, parallel,
		roundRows.String(), 100*r.share(), 100*leastShare, verify.CPUSeconds, download.CPUSeconds,
		smallMiB, mib(r.small.PeakBytes), mib(r.bytes), mib(verify.PeakBytes), mib(r.bytes), mib(download.PeakBytes),
		r.speed(r.decoding), 100*r.speed(r.decoding)/r.speed(download), mib(r.decoding.PeakBytes),
		s.At.Format(time.DateOnly), s.Machine, s.Servers, s.Program)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
