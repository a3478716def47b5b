package progress_test

import (
	"testing"
	"time"

	"vlens-archiver/internal/progress"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567", -1234: "-1,234", -999: "-999",
	} {
		if got := progress.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB",
		1288490189: "1.2 GiB", 1 << 40: "1.0 TiB", 1 << 60: "1024.0 PiB",
	} {
		if got := progress.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                             "0s",
		1234 * time.Millisecond:       "1.2s",
		42 * time.Second:              "42s",
		60 * time.Second:              "1m",
		90 * time.Second:              "1m30s",
		time.Hour:                     "1h",
		76*time.Hour + 10*time.Minute: "3d4h",
		48 * time.Hour:                "2d",
		59*time.Minute + 59*time.Second + 900*time.Millisecond: "1h",
		-90 * time.Second: "-1m30s",
	} {
		if got := progress.Span(d); got != want {
			t.Errorf("Span(%s) = %q, want %q", d, got, want)
		}
	}
}
