package figures

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlens-archiver/bench/site"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{9, 1, 5}, Spread{5, 1, 9}},
		{[]float64{4, 1, 2, 9}, Spread{3, 1, 9}},
	} {
		before := slices.Clone(tt.values)
		if got := SpreadOf(tt.values); got != tt.want || !slices.Equal(before, tt.values) {
			t.Errorf("%v: %v, want %v", before, got, tt.want)
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ from, to, want float64 }{{2, 20, 1}, {7, 7, 0}, {1, 100, 2}, {0, 5, 0}, {5, 0, 0}} {
		if got := Order(1_000, tt.from, 10_000, tt.to); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("from %v to %v: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

var usual = Case{ImageBytes: 300 << 10, InFlight: 16}

// turn is a measurement of 600 images.
func turn(c Case, round int, client string, seconds, cpu float64, peak int64) Comparison {
	return Comparison{
		Case: c, Round: round, Client: client, Images: 600, Requests: 700,
		Usage: site.Usage{Seconds: seconds, CPUSeconds: cpu, PeakBytes: peak},
	}
}

func TestStandings(t *testing.T) {
	t.Parallel()
	all := []Comparison{
		turn(usual, 1, Ours, 2, 0.6, 50), turn(usual, 1, Bento, 4, 3, 300),
		turn(usual, 2, Ours, 4, 1.2, 60), turn(usual, 2, Bento, 16, 3, 200),
		turn(usual, 3, Bento, 1, 99, 100), // of a round without ours
		turn(Case{ImageBytes: 1, InFlight: 16}, 1, Bento, 1, 1, 1),
	}
	got := Standings(all, usual, Ours, Python, Bento)
	if len(got) != 2 || got[0].Client != Ours || got[1].Client != Bento {
		t.Fatalf("clients: %+v", got)
	}
	bento := got[1]
	if bento.Rounds != 3 || bento.RequestsPerUser != 7 || bento.PeakBytes != (Spread{200, 100, 300}) {
		t.Errorf("%+v", bento)
	}
	if want := (Spread{150, 37.5, 600}); bento.ImagesPerSecond != want {
		t.Errorf("rate %v, want %v", bento.ImagesPerSecond, want)
	}
	// Each round is compared in itself: 150 to 300, then 37.5 to 150.
	if want := (Spread{0.375, 0.25, 0.5}); bento.RateRatio != want {
		t.Errorf("rate ratio %v, want %v", bento.RateRatio, want)
	}
	if want := (Spread{3.75, 2.5, 5}); bento.CPURatio != want {
		t.Errorf("CPU ratio %v, want %v", bento.CPURatio, want)
	}
	if ours := got[0]; ours.RateRatio != (Spread{1, 1, 1}) || ours.CPUPerThousand != (Spread{1.5, 1, 2}) {
		t.Errorf("%+v", ours)
	}
}

// TestMarks: each mark is met by figures that just reach it, and missed by
// figures that do not.
func TestMarks(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	comparisons := []Comparison{
		turn(usual, 1, Ours, 2, 0.6, 99*mib), turn(usual, 1, Floor, 1, 0.3, 1), turn(usual, 1, Bento, 3, 2.4, 300*mib), turn(usual, 1, Python, 2.001, 1, 90*mib),
	}
	growth := []Growth{
		{Step: StepRun, Users: 1_000, Usage: site.Usage{PeakBytes: 80 * mib}},
		{Step: StepRun, Users: 100_000, Usage: site.Usage{PeakBytes: 100 * mib}, Database: site.Database{Transactions: 300_000}},
		{Step: StepCopy, Users: 1_000_000, Usage: site.Usage{Seconds: 2}},
		{Step: StepFirst, Users: 1_000_000, SyncSeconds: 30, Usage: site.Usage{Seconds: 200, PeakBytes: 256 * mib}},
		{Step: StepNoop, Users: 1_000_000, SyncSeconds: 10, Usage: site.Usage{Seconds: 29}},
		{Step: StepChanged, Users: 1_000_000, Usage: site.Usage{Seconds: 60}},
	}
	for _, mark := range Marks(comparisons, growth) {
		if !mark.Met {
			t.Errorf("%s, %s: %s", mark.What, mark.Want, mark.Got)
		}
	}

	comparisons[0].CPUSeconds, comparisons[0].Seconds, comparisons[0].PeakBytes = 0.61, 2.001, 99*mib+1
	growth[1].PeakBytes, growth[1].Database.Transactions = 101*mib, 300_001
	growth[2].Seconds, growth[3].PeakBytes = 1.9, 256*mib+1
	growth[4].Seconds, growth[4].Requests, growth[5].Seconds = 31, 1, 61
	for _, mark := range Marks(comparisons, growth) {
		if mark.Met || mark.Got == "" {
			t.Errorf("%s, %s: %q is taken to be met", mark.What, mark.Want, mark.Got)
		}
	}
	for _, mark := range Marks(nil, nil) {
		if mark.Met || mark.Got != "" {
			t.Errorf("%s: %q without a measurement", mark.What, mark.Got)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, c := range []Comparison{turn(usual, 1, Ours, 2, 0.6, 1<<20), turn(usual, 1, Python, 4, 3, 2<<20)} {
		if err := Append(ComparisonsFile(folder), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, users := range []int{10_000, 1_000, 10_000} { // the later of two counts
		g := Growth{Step: StepRun, Users: users, Usage: site.Usage{Seconds: float64(users) / 100, CPUSeconds: 1, PeakBytes: 1 << 20}}
		if err := Append(GrowthFile(folder), g); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "measurements", "remarks.md"), []byte("## Remarks\n\nSo it is.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WritePage(folder); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(folder, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| Python | 1 | 150 (150–150) | 0.50 (0.50–0.50) | 5.00 (5.00–5.00) | 5.00 (5.00–5.00) | 2 (2–2) | 7.00 |",
		"| 1,000, 10,000 | 1.00 | 0.00 | 0.00 |", "So it is.",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if strings.Count(string(page), "| 10,000 |") != 1 {
		t.Errorf("a run that was measured twice is shown twice:\n%s", page)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	name := ComparisonsFile(t.TempDir())
	if kept, err := Load[Comparison](name); err != nil || kept != nil {
		t.Fatalf("no file: %v, %v", kept, err)
	}
	first, second := turn(usual, 1, Ours, 1, 1, 1), turn(usual, 2, Ours, 1, 1, 1)
	for _, c := range []Comparison{first, second} {
		if err := Append(name, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := Replace(name, []Comparison{second}); err != nil {
		t.Fatal(err)
	}
	if kept, err := Load[Comparison](name); err != nil || !slices.Equal(kept, []Comparison{second}) {
		t.Errorf("%v, %v", kept, err)
	}
}
