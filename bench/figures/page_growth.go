package figures

import (
	"fmt"
	"strings"
)

func growthSection(all []Growth) string {
	var text strings.Builder
	text.WriteString("\n## Growth\n\nImages of 5 KiB, 64 in flight. Transactions, rows and write-ahead log are the counters of the ledger's database.\n")
	text.WriteString(runsTable(latest(all, StepRun)))
	for _, g := range latest(all, StepVerify) {
		fmt.Fprintf(&text, "\n`verify` of what the run of %s users archived, %s images and a record each: %.1f s, %.1f s CPU, %d MiB at its peak.\n",
			number(g.Users), number(6*g.Users), g.Seconds, g.CPUSeconds, g.PeakBytes>>20)
	}
	text.WriteString(millionTable(all))
	return text.String()
}

// runsTable shows runs of growing size, and with which power of the number of
// users each figure grows.
func runsTable(runs []Growth) string {
	if len(runs) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("\n### First runs\n\n| users | seconds | users/s | CPU s | peak memory, MiB | requests per user | transactions per user | rows written per user | log written per user, KiB |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, g := range runs {
		users := float64(g.Users)
		fmt.Fprintf(&text, "| %s | %.1f | %.0f | %.1f | %d | %.2f | %.2f | %.1f | %.1f |\n", number(g.Users), g.Seconds, users/g.Seconds, g.CPUSeconds,
			g.PeakBytes>>20, float64(g.Requests)/users, float64(g.Database.Transactions)/users, float64(g.Database.Written)/users,
			float64(g.Database.WALBytes)/users/1024)
	}
	if len(runs) < 2 {
		return text.String()
	}
	text.WriteString("\nThe power of the number of users with which each grows (1 is linear, 0 is flat):\n\n| from, to | seconds | CPU | peak memory | transactions | rows written | log written |\n|---|---|---|---|---|---|---|\n")
	for n := 1; n < len(runs); n++ {
		a, b := runs[n-1], runs[n]
		order := func(from, to float64) float64 { return Order(float64(a.Users), from, float64(b.Users), to) }
		fmt.Fprintf(&text, "| %s, %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |\n", number(a.Users), number(b.Users),
			order(a.Seconds, b.Seconds), order(a.CPUSeconds, b.CPUSeconds), order(float64(a.PeakBytes), float64(b.PeakBytes)),
			order(float64(a.Database.Transactions), float64(b.Database.Transactions)),
			order(float64(a.Database.Written), float64(b.Database.Written)),
			order(float64(a.Database.WALBytes), float64(b.Database.WALBytes)))
	}
	return text.String()
}

var millionSteps = []struct{ step, words string }{
	{StepCopy, "the same rows by `COPY` to a file (the yardstick)"},
	{StepPlanNew, "`plan`, all users new"},
	{StepFirst, "`run --limit`: all users new, some archived"},
	{StepNoop, "`run` with nothing to do"},
	{StepPlanNoop, "`plan`, nobody due"},
	{StepChanged, "`run` after 0.1 % of the rows changed"},
}

func millionTable(all []Growth) string {
	var text strings.Builder
	for _, step := range millionSteps {
		for _, g := range latest(all, step.step) {
			if text.Len() == 0 {
				fmt.Fprintf(&text, "\n### %s users, of whom few are due\n\nAfter the first run the users it left were set to archived by SQL, as a month of runs would have left them.\n\n", number(g.Users))
				text.WriteString("| | seconds | of it until synced | CPU s | peak memory, MiB | users archived | requests | transactions | rows written | log written, MiB |\n|---|---|---|---|---|---|---|---|---|---|\n")
			}
			if step.step == StepCopy {
				fmt.Fprintf(&text, "| %s | %.2f | | | | | | | | |\n", step.words, g.Seconds)
				continue
			}
			fmt.Fprintf(&text, "| %s | %.2f | %.2f | %.2f | %d | %s | %s | %s | %s | %d |\n", step.words, g.Seconds, g.SyncSeconds, g.CPUSeconds,
				g.PeakBytes>>20, number(g.Archived), number(g.Requests), number(int(g.Database.Transactions)), number(int(g.Database.Written)), g.Database.WALBytes>>20)
		}
	}
	return text.String()
}

// number has a comma between thousands.
func number(n int) string {
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
