package figures

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vlens-archiver/bench/site"
)

// ComparisonsFile is where the comparisons are kept in the folder.
func ComparisonsFile(folder string) string {
	return filepath.Join(folder, "measurements", "peers.jsonl")
}

// WritePage writes RESULTS.md of the folder from all that was measured, and from
// remarks.md beside the measurements: what a person has to say of them.
func WritePage(folder string) error {
	comparisons, err := Load[Comparison](ComparisonsFile(folder))
	if err != nil {
		return err
	}
	growth, err := Load[Growth](GrowthFile(folder))
	if err != nil {
		return err
	}
	remarks, err := os.ReadFile(filepath.Join(folder, "measurements", "remarks.md"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the remarks: %w", err)
	}
	text := pageHead + marksSection(Marks(comparisons, growth)) + peersSection(comparisons) + growthSection(growth)
	if len(remarks) > 0 {
		text += "\n" + strings.TrimSpace(string(remarks)) + "\n"
	}
	text += settingSection(comparisons, growth)
	if err := os.WriteFile(filepath.Join(folder, "RESULTS.md"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}

const pageHead = "# Speed\n\nWritten by `make bench` and `make bench-growth`; see [README.md](README.md) for how it is measured.\n"

// settingSection says what everything was measured with, and how idle the
// machine was.
func settingSection(comparisons []Comparison, growth []Growth) string {
	var settings []site.Setting
	for _, c := range comparisons {
		settings = append(settings, c.Setting)
	}
	for _, g := range growth {
		settings = append(settings, g.Setting)
	}
	if len(settings) == 0 {
		return "\nNothing has been measured.\n"
	}
	slices.SortFunc(settings, func(a, b site.Setting) int { return a.At.Compare(b.At) })
	var loads []float64
	var machines, servers, programs []string
	for _, s := range settings {
		loads = append(loads, s.Load)
		machines, servers, programs = added(machines, s.Machine), added(servers, s.Servers), added(programs, s.Program)
	}
	load := SpreadOf(loads)
	first, last := settings[0].At, settings[len(settings)-1].At
	return fmt.Sprintf(`
## Measured with

%s. %s. Clients: %s, Bento v1.15.0, Python 3 with requests, boto3 and psycopg2 of Debian. From %s to %s UTC.
Before each measurement %.1f processes wanted a processor, taken over a minute (%.1f to %.1f); the measured ones themselves make up to about 3 of that, the rest is noise.
`, strings.Join(machines, "; "), strings.Join(servers, "; "), strings.Join(programs, "; "),
		first.Format("2006-01-02 15:04"), last.Format("2006-01-02 15:04"), load.Median, load.Least, load.Most)
}

func added(list []string, value string) []string {
	if value == "" || slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}

// CaseName is a case in words.
func CaseName(c Case) string {
	name := fmt.Sprintf("%s, %d in flight", sizeName(c.ImageBytes), c.InFlight)
	if c.Latency > 0 {
		name += fmt.Sprintf(", latency %s", c.Latency)
	}
	return name
}

func sizeName(bytes int) string {
	if bytes >= 1<<20 && bytes%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}
