package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// sections are what the headings of that form say, in order, without repetition.
func sections(text, pattern string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		for _, name := range strings.Split(match[1], ", ") {
			found = append(found, strings.TrimSpace(name))
		}
	}
	return found
}

// Who is woken by an exit code finds it here, in the order of the README.
func TestEveryExitCodeHasASection(t *testing.T) {
	t.Parallel()
	table := read(t, "../README.md")
	table = table[strings.Index(table, "## Exit codes"):]
	want := sections(table, `(?m)^\| (\d[\d, ]*) \|`)
	got := sections(read(t, "operations.md"), `(?m)^### Exit code (\d+)$`)
	if len(want) < 8 || !slices.Equal(got, want) {
		t.Errorf("sections for exit codes %q, the README has %q", got, want)
	}
}

// Who is woken by an alert finds its name here.
func TestEveryAlertHasASection(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../deploy/grafana/*.y*ml")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range files {
		want = append(want, sections(read(t, file), `(?m)^\s*(?:- )?alert: ["']?(\w+)`)...)
	}
	got := sections(read(t, "operations.md"), "(?m)^### Alert `(\\w+)`$")
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("sections for alerts %q, deploy/grafana has %q", got, want)
	}
}
