package doctor

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The table of docs/doctor.md is the table of checks.
func TestDocumentHasEveryCheckAndRemedy(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range checks() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", c.name, c.tried, strings.Join(c.remedies, " · ")))
	}
	var have []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			have = append(have, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("the table has to be:\n%s", strings.Join(want, "\n"))
	}
}

// A check may only build on checks that come before it.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	var before []string
	for _, c := range checks() {
		if slices.Contains(before, c.name) {
			t.Errorf("%s is there twice", c.name)
		}
		for _, needed := range c.needs {
			if !slices.Contains(before, needed) {
				t.Errorf("%s needs %s, which does not come before it", c.name, needed)
			}
		}
		before = append(before, c.name)
	}
}
