package figures

import (
	"fmt"
	"strings"
	"time"
)

// Mark is something the program is to reach.
type Mark struct {
	What string
	Want string
	Got  string // empty when it was not measured
	Met  bool
}

const (
	memoryLimit = 150 << 20 // bytes, of a run that syncs a million users
	// flat is how far the peak memory of runs of different sizes may differ.
	flat = 1.25
)

// Marks judges what was measured.
func Marks(comparisons []Comparison, growth []Growth) []Mark {
	return append(peerMarks(comparisons), growthMarks(growth)...)
}

func peerMarks(all []Comparison) []Mark {
	usual := Case{ImageBytes: 300 << 10, InFlight: 16}
	wide := Case{ImageBytes: 300 << 10, InFlight: 64}
	slow := Case{ImageBytes: 300 << 10, InFlight: 64, Latency: 20 * time.Millisecond}
	var marks []Mark

	// CPU of ours over that of another: the inverse of its ratio to ours.
	for _, m := range []struct {
		client string
		most   float64
		words  string
	}{{Floor, 1.5, "1.5 × the floor"}, {Bento, 0.25, "a quarter of Bento's"}, {Python, 1.0 / 6, "a sixth of the Python script's"}} {
		mark := Mark{What: "CPU per 300 KiB image, 16 in flight", Want: "at most " + m.words}
		if their, ok := standing(all, usual, m.client); ok && their.CPURatio.Median > 0 {
			ratio := 1 / their.CPURatio.Median
			mark.Got, mark.Met = fmt.Sprintf("%.2f ×", ratio), ratio <= m.most
		}
		marks = append(marks, mark)
	}
	absolute := Mark{What: "CPU per 300 KiB image, 16 in flight", Want: "at most 1.5 ms"}
	if ours, ok := standing(all, usual, Ours); ok {
		absolute.Got, absolute.Met = fmt.Sprintf("%.2f ms", ours.CPUPerThousand.Median), ours.CPUPerThousand.Median <= 1.5
	}
	marks = append(marks, absolute)

	for _, c := range casesOf(all) {
		mark := Mark{What: "images/s, " + CaseName(c), Want: "at least each peer's"}
		best, who := 0.0, ""
		for _, peer := range Standings(all, c, Bento, Python) {
			if peer.RateRatio.Median > best {
				best, who = peer.RateRatio.Median, peer.Client
			}
		}
		if best > 0 {
			mark.Got, mark.Met = fmt.Sprintf("%.2f × %s's", 1/best, who), best <= 1
		}
		marks = append(marks, mark)
	}
	twice := Mark{What: "images/s, " + CaseName(slow), Want: "at least 2 × Bento's"}
	if bento, ok := standing(all, slow, Bento); ok && bento.RateRatio.Median > 0 {
		ratio := 1 / bento.RateRatio.Median
		twice.Got, twice.Met = fmt.Sprintf("%.2f ×", ratio), ratio >= 2
	}
	marks = append(marks, twice)

	memory := Mark{What: "peak memory, " + CaseName(wide), Want: "at most the lowest peer's"}
	lowest := 0.0
	for _, peer := range Standings(all, wide, Bento, Python) {
		if lowest == 0 || peer.PeakBytes.Median < lowest {
			lowest = peer.PeakBytes.Median
		}
	}
	if ours, ok := standing(all, wide, Ours); ok && lowest > 0 {
		memory.Got = fmt.Sprintf("%.0f MiB, lowest peer %.0f MiB", ours.PeakBytes.Median/(1<<20), lowest/(1<<20))
		memory.Met = ours.PeakBytes.Median <= lowest
	}
	return append(marks, memory)
}

func standing(all []Comparison, c Case, client string) (Standing, bool) {
	found := Standings(all, c, client)
	if len(found) == 0 {
		return Standing{}, false
	}
	return found[0], true
}

func growthMarks(all []Growth) []Mark {
	evenness := Mark{What: "peak memory of runs of 1,000 to 100,000 users", Want: fmt.Sprintf("flat (largest within %.0f %% of the smallest)", 100*(flat-1))}
	if runs := latest(all, StepRun); len(runs) > 1 {
		least, most := runs[0].PeakBytes, runs[0].PeakBytes
		for _, g := range runs {
			least, most = min(least, g.PeakBytes), max(most, g.PeakBytes)
		}
		evenness.Got = fmt.Sprintf("%d to %d MiB over %d runs", least>>20, most>>20, len(runs))
		evenness.Met = float64(most) <= flat*float64(least)
	}
	roundTrips := Mark{What: "database round trips per user", Want: "at most 3"}
	if runs := latest(all, StepRun); len(runs) > 0 {
		largest := runs[len(runs)-1]
		perUser := float64(largest.Database.Transactions) / float64(largest.Users)
		roundTrips.Got, roundTrips.Met = fmt.Sprintf("%.2f transactions", perUser), perUser <= 3
	}
	load := Mark{What: "first sync of 1,000,000 users, all new", Want: "within 5 × `COPY` to a file"}
	sync := Mark{What: "later sync of 1,000,000 users", Want: "within 5 × `COPY` to a file"}
	bound := Mark{What: "memory of a run that syncs 1,000,000 users and archives 20,000", Want: fmt.Sprintf("under %d MiB", memoryLimit>>20)}
	noRequests := Mark{What: "run over 1,000,000 users with nothing to do", Want: "0 requests"}
	noTime := Mark{What: "run over 1,000,000 users with nothing to do", Want: "under 3 × its sync"}

	first, hasFirst := ofMillion(all, StepFirst)
	idle, hasIdle := ofMillion(all, StepNoop)
	copied, hasCopied := ofMillion(all, StepCopy)
	against := func(m *Mark, seconds float64) {
		ratio := seconds / copied.Seconds
		m.Got, m.Met = fmt.Sprintf("%.1f × (%.1f s and %.1f s)", ratio, seconds, copied.Seconds), ratio <= 5
	}
	if hasCopied && hasFirst {
		against(&load, first.SyncSeconds)
	}
	if hasCopied && hasIdle {
		against(&sync, idle.SyncSeconds)
	}
	if hasFirst {
		bound.Got, bound.Met = fmt.Sprintf("%d MiB", first.PeakBytes>>20), first.PeakBytes < memoryLimit
	}
	if hasIdle {
		ratio := idle.Seconds / idle.SyncSeconds
		noRequests.Got, noRequests.Met = fmt.Sprint(idle.Requests), idle.Requests == 0
		noTime.Got, noTime.Met = fmt.Sprintf("%.2f × (%.1f s)", ratio, idle.Seconds), ratio < 3
	}
	return []Mark{evenness, roundTrips, load, sync, bound, noRequests, noTime}
}

// ofMillion is the latest record of a step over a million users.
func ofMillion(all []Growth, step string) (Growth, bool) {
	for _, g := range latest(all, step) {
		if g.Users == 1_000_000 {
			return g, true
		}
	}
	return Growth{}, false
}

func marksSection(marks []Mark) string {
	var text strings.Builder
	text.WriteString("\n## Marks\n\n| what | wanted | measured | |\n|---|---|---|---|\n")
	for _, m := range marks {
		verdict := "**missed**"
		switch {
		case m.Got == "":
			verdict = "not measured"
		case m.Met:
			verdict = "met"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", m.What, m.Want, m.Got, verdict)
	}
	return text.String()
}
