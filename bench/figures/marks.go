package figures

import (
	"fmt"
	"strings"
)

// Mark is something the program is to reach.
type Mark struct {
	What string
	Want string
	Got  string // empty when it was not measured
	Met  bool
}

const (
	// flat is how far the peak memory of runs of different sizes may differ.
	flat = 1.25
	// The bounds of any command over a million users.
	mostMemory  = 256 << 20 // bytes
	mostSeconds = 60        // but for the first sync, which happens once
)

// Marks judges what was measured.
func Marks(comparisons []Comparison, growth []Growth) []Mark {
	return append(peerMarks(comparisons), growthMarks(growth)...)
}

func peerMarks(all []Comparison) []Mark {
	usual := Case{ImageBytes: 300 << 10, InFlight: 16}
	var marks []Mark
	for _, m := range []struct {
		client string
		most   float64
		words  string
	}{{Floor, 2, "2.0 × the floor"}, {Bento, 0.25, "a quarter of Bento's"}} {
		mark := Mark{What: "CPU per image, " + CaseName(usual), Want: "at most " + m.words}
		if their, ok := standing(all, usual, m.client); ok && their.CPURatio.Median > 0 {
			ratio := 1 / their.CPURatio.Median // of ours to theirs
			mark.Got, mark.Met = fmt.Sprintf("%.2f ×", ratio), ratio <= m.most
		}
		marks = append(marks, mark)
	}
	for _, c := range casesOf(all) {
		marks = append(marks, rateMark(all, c), memoryMark(all, c))
	}
	return marks
}

func rateMark(all []Comparison, c Case) Mark {
	mark := Mark{What: "images/s, " + CaseName(c), Want: "above each peer's"}
	best, who := 0.0, ""
	for _, peer := range Standings(all, c, Bento, Python) {
		if peer.RateRatio.Median > best {
			best, who = peer.RateRatio.Median, peer.Client
		}
	}
	if best > 0 {
		mark.Got, mark.Met = fmt.Sprintf("%.2f × %s's", 1/best, who), best < 1
	}
	return mark
}

func memoryMark(all []Comparison, c Case) Mark {
	mark := Mark{What: "peak memory, " + CaseName(c), Want: "at most the lowest peer's + 10 %"}
	lowest := 0.0
	for _, peer := range Standings(all, c, Bento, Python) {
		if lowest == 0 || peer.PeakBytes.Median < lowest {
			lowest = peer.PeakBytes.Median
		}
	}
	if ours, ok := standing(all, c, Ours); ok && lowest > 0 {
		mark.Got = fmt.Sprintf("%.0f MiB, lowest peer %.0f MiB", ours.PeakBytes.Median/(1<<20), lowest/(1<<20))
		mark.Met = ours.PeakBytes.Median <= 1.1*lowest
	}
	return mark
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
	sync := Mark{What: "later sync of 1,000,000 users", Want: "within 5 × `COPY` to a file"}
	noRequests := Mark{What: "run over 1,000,000 users with nothing to do", Want: "0 requests"}
	noTime := Mark{What: "run over 1,000,000 users with nothing to do", Want: "under 3 × its sync"}
	copied, hasCopied := ofMillion(all, StepCopy)
	if idle, ok := ofMillion(all, StepNoop); ok {
		if hasCopied {
			ratio := idle.SyncSeconds / copied.Seconds
			sync.Got, sync.Met = fmt.Sprintf("%.1f × (%.1f s and %.1f s)", ratio, idle.SyncSeconds, copied.Seconds), ratio <= 5
		}
		ratio := idle.Seconds / idle.SyncSeconds
		noRequests.Got, noRequests.Met = fmt.Sprint(idle.Requests), idle.Requests == 0
		noTime.Got, noTime.Met = fmt.Sprintf("%.2f × (%.1f s)", ratio, idle.Seconds), ratio < 3
	}
	return append([]Mark{evenness, roundTrips, sync, noRequests, noTime}, boundsOfMillion(all)...)
}

// boundsOfMillion are the marks for all commands over a million users together.
func boundsOfMillion(all []Growth) []Mark {
	time := Mark{What: "longest command over 1,000,000 users, without the first sync", Want: fmt.Sprintf("at most %d s", mostSeconds)}
	memory := Mark{What: "peak memory of commands over 1,000,000 users", Want: fmt.Sprintf("at most %d MiB", mostMemory>>20)}
	var longest float64
	var largest int64
	for _, step := range []string{StepPlanNew, StepFirst, StepNoop, StepPlanNoop, StepChanged} {
		g, ok := ofMillion(all, step)
		if !ok {
			continue
		}
		largest = max(largest, g.PeakBytes)
		memory.Got, memory.Met = fmt.Sprintf("%d MiB", largest>>20), largest <= mostMemory
		if step != StepFirst {
			longest = max(longest, g.Seconds)
			time.Got, time.Met = fmt.Sprintf("%.1f s", longest), longest <= mostSeconds
		}
	}
	return []Mark{time, memory}
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
