package audit_test

import (
	"strings"
	"testing"

	"vlens-archiver/audit"
)

func TestCheckReason(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"Central Bank request 2026/17", "court order 88 of 2026-01-02", "بناء على طلب النيابة العامة رقم ١٢٣ لسنة ٢٠٢٦",
		"ticket 1234567", "from 2026-01-02 to 2026-02-03", "asked @ the desk", "v1.2.3 10:00",
	} {
		if err := audit.CheckReason(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "  \t", "line\nline", "\xff", strings.Repeat("x", 501),
		"asked by someone@example.com", "call 01001234567", "call +20 100 123 4567 today", "call (0100) 123-4567", "٠١٠٠١٢٣٤٥٦٧",
		"id 29001011234567", "0020 100 123 4567", "room 7 01001234567 8",
	} {
		err := audit.CheckReason(bad)
		if err == nil {
			t.Errorf("%q is accepted", bad)
		} else if len(bad) > 8 && strings.Contains(err.Error(), bad) {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}
