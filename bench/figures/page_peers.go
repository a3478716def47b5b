package figures

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// peersSection has a table for each case that was measured.
func peersSection(all []Comparison) string {
	var text strings.Builder
	text.WriteString(`
## Beside the peers

Figures are medians over the rounds, with the range in brackets. "CPU ×" and "rate ×" are the client's figure divided by that of vlens-archiver in the same round. CPU and peak memory are those of the client's process alone, from its start to its end.
`)
	for _, c := range casesOf(all) {
		fmt.Fprintf(&text, "\n### %s\n\n", CaseName(c))
		text.WriteString("| client | rounds | images/s | rate × | CPU s per 1,000 images | CPU × | peak memory, MiB | requests per user |\n|---|---|---|---|---|---|---|---|\n")
		for _, s := range Standings(all, c, Ours, Before, Floor, Bento, Python) {
			fmt.Fprintf(&text, "| %s | %d | %s | %s | %s | %s | %s | %.2f |\n", s.Client, s.Rounds,
				spread(s.ImagesPerSecond, "%.0f", 1), spread(s.RateRatio, "%.2f", 1),
				spread(s.CPUPerThousand, "%.2f", 1), spread(s.CPURatio, "%.2f", 1),
				spread(s.PeakBytes, "%.0f", 1<<20), s.RequestsPerUser)
		}
	}
	return text.String()
}

func casesOf(all []Comparison) []Case {
	var cases []Case
	for _, c := range all {
		if !slices.Contains(cases, c.Case) {
			cases = append(cases, c.Case)
		}
	}
	slices.SortFunc(cases, func(a, b Case) int {
		return cmp.Or(cmp.Compare(a.InFlight, b.InFlight), cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.ImageBytes, b.ImageBytes))
	})
	return cases
}

// spread shows a spread in a unit: "12 (11–14)".
func spread(s Spread, format string, unit float64) string {
	if s == (Spread{}) {
		return "–"
	}
	return fmt.Sprintf(format+" ("+format+"–"+format+")", s.Median/unit, s.Least/unit, s.Most/unit)
}
