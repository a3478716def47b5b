package verify_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"vlens-archiver/audit/verify"
)

// docs/verify.md has every finding, as the table in code has it, and no other.
func TestFindingsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	damage, warnings, _ := strings.Cut(string(text), "\nWarnings:")
	rows := 0
	for _, info := range verify.Sorts {
		part := warnings
		if info.Damage {
			part = damage
		}
		if row := fmt.Sprintf("| `%s` | %s | %s |\n", info.Sort, info.Meaning, info.Remedy); !strings.Contains(part, row) {
			t.Errorf("the page lacks %q", row)
		}
		rows++
	}
	if n := strings.Count(string(text), "\n| `"); n != rows {
		t.Errorf("the page has %d findings, the code %d", n, rows)
	}
}
