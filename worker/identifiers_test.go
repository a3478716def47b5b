package worker

import (
	"strings"
	"testing"

	"vlens-archiver/store"
)

// The number 0100 123 4567 of Egypt as people and programs write it, and what may
// not be taken for a number.
func TestPhoneAsTyped(t *testing.T) {
	t.Parallel()
	const mobile, landline = "+201001234567", "+20225551234"
	for _, c := range []struct {
		typed, want string
		flaw        Flaw
	}{
		// As it should be.
		{"01001234567", mobile, ""},
		{"+201001234567", mobile, ""},
		{"00201001234567", mobile, ""},
		{"201001234567", mobile, ""},
		{"1001234567", mobile, ""}, // a spreadsheet took the zero
		{"0225551234", landline, ""},
		{"225551234", landline, ""},
		{"+966501234567", "+966501234567", ""},
		{"+1 650 253 0000", "+16502530000", ""},
		// The country's code, with the zero that it replaces.
		{"+2 01001234567", mobile, ""},
		{"+20 (0)100 123 4567", mobile, ""},
		{"+2001001234567", mobile, ""},
		{"+00201001234567", mobile, ""},
		{"002 01001234567", mobile, ""},
		{"0020 (0) 1001234567", mobile, ""},
		{"0020-100-1234567", mobile, ""},
		{"++201001234567", mobile, ""},
		{"+ 20 100 123 4567", mobile, ""},
		{"(+20)1001234567", mobile, ""},
		{"+(20)1001234567", mobile, ""},
		// Groups.
		{"0100 123 4567", mobile, ""},
		{"(010) 0123-4567", mobile, ""},
		{"010.0123.4567", mobile, ""},
		{"010/0123/4567", mobile, ""},
		{"010-01-23-45-67", mobile, ""},
		{"010 01 23 45 67", mobile, ""},
		{"0100–123–4567", mobile, ""},
		{"0100−123−4567", mobile, ""},
		{"+20.100.123.4567", mobile, ""},
		{"02 2555 1234", landline, ""},
		{"02 25 55 12 34", landline, ""},
		// Digits and signs of other scripts.
		{"٠١٠٠١٢٣٤٥٦٧", mobile, ""},
		{"٠١٠٠ ١٢٣ ٤٥٦٧", mobile, ""},
		{"۰۱۰۰۱۲۳۴۵۶۷", mobile, ""},
		{"+٢٠١٠٠١٢٣٤٥٦٧", mobile, ""},
		{"٠٠٢٠١٠٠١٢٣٤٥٦٧", mobile, ""},
		{"＋２０１００１２３４５６７", mobile, ""},
		// What is left around it by a file, a list or a page.
		{"01001234567\n", mobile, ""},
		{"01001234567\r\n", mobile, ""},
		{"\t01001234567\t", mobile, ""},
		{"01001234567;", mobile, ""},
		{",01001234567,", mobile, ""},
		{"01001234567 ; ", mobile, ""},
		{"٠١٠٠١٢٣٤٥٦٧،", mobile, ""},
		{"01001234567؛", mobile, ""},
		{"01001234567.", mobile, ""},
		{"'01001234567", mobile, ""},
		{"\ufeff01001234567", mobile, ""},
		{"01001234567\u00a0", mobile, ""},
		{"\u200e01001234567\u200e", mobile, ""},
		{"\u202a+201001234567\u202c", mobile, ""},
		{"\u2066+20 100 123 4567\u2069", mobile, ""},
		{"01001234567\u202f", mobile, ""},
		{"01001234567\u061c", mobile, ""},
		{"01001234567\u0000", mobile, ""},
		// Inside it.
		{"+20\u202c1001234567", mobile, ""},
		{"+20\u200b100\u20601234567", mobile, ""},
		{"+20\t100\u00a0123\u202f4567", mobile, ""},
		// Words and schemes before it, extensions behind it.
		{"tel:+201001234567", mobile, ""},
		{"TEL:+20-100-123-4567", mobile, ""},
		{"tel:01001234567", mobile, ""},
		{"tel:01001234567;phone-context=+20", mobile, ""},
		{"Mobile: 01001234567", mobile, ""},
		{"https://wa.me/201001234567", mobile, ""},
		{"01001234567 ext 5", mobile, ""},
		{"01001234567;ext=12", mobile, ""},

		// Two numbers, or a number and the other ending of a second one.
		{"01001234567,01001234568", "", flawSeveral},
		{"01001234567;01001234568", "", flawSeveral},
		{"01001234567 / 01001234568", "", flawSeveral},
		{"01001234567\n01001234568", "", flawSeveral},
		{"01001234567 or 01001234568", "", flawSeveral},
		{"+201001234567+201001234568", "", flawSeveral},
		{"225551234;5551235", "", flawSeveral},
		{"0225551234/5", "", flawSeveral},
		{"03 481 2345 - 36", "", flawSeveral},
		{"225551234.0", "", flawSeveral}, // a number that was read as a fraction
		// Lists.
		{"{01001234567}", "", flawList},
		{"{01001234567,01001234568}", "", flawList},
		{`["01001234567"]`, "", flawList},
		// Letters stand for digits that nobody knows.
		{"+20 1O0 1234567", "", flawLetters},
		{"0100FLOWERS", "", flawLetters},
		// Digits that are missing or too many.
		{"0100\n1234567", "", flawNoNumber}, // ends of lines are in no number
		{"0201001234567", "", flawNoNumber}, // 0020 or 02?
		{"010012345678", "", flawNoNumber},
		{"+2010012345678", "", flawNoNumber},
		{"01234", "", flawNoNumber},
		{"29001011234567", "", flawNoNumber}, // a national id
		{"1.00123E+09", "", flawNoNumber},
		{"01001234567 (Mona)", "", flawNoNumber},
		{"n/a", "", flawNoNumber},
		{"-", "", flawNoNumber},
		{"", "", flawEmpty},
		{" \u200e\r\n", "", flawEmpty},
	} {
		got, flaw := Phone(store.Sensitive(c.typed), "EG")
		if got.Reveal() != c.want || flaw != c.flaw {
			t.Errorf("%q is %q (%s), want %q (%s)", c.typed, got.Reveal(), flaw, c.want, c.flaw)
		}
	}
}

func TestEmailAsTyped(t *testing.T) {
	t.Parallel()
	const address = "mona@example.com"
	for _, c := range []struct {
		typed, want string
		flaw        Flaw
	}{
		{"mona@example.com", address, ""},
		{"  Mona@Example.COM ", address, ""},
		{"mona@example.com\r\n", address, ""},
		{"\u200fmona@example.com\u202c", address, ""},
		{"\ufeffmona@example.com\u00a0", address, ""},
		{"mona@example.com;", address, ""},
		{"mona@example.com,", address, ""},
		{"mona+archive@mail.example.com", "mona+archive@mail.example.com", ""},
		{"منى@example.com", "منى@example.com", ""},

		{"mona@example.com,ali@example.com", "", flawSeveral},
		{"mona@example.com; ali@example.com", "", flawSeveral},
		{"mona@example.com ali@example.com", "", flawSeveral},
		{"mona@example.com\nali@example.com", "", flawSeveral},
		{"Mona <mona@example.com>", "", flawAround},
		{"<mona@example.com>", "", flawAround},
		{"mailto:mona@example.com", "", flawAround},
		{"Mona mona@example.com", "", flawAround},
		{"mona@example.com\u2028work", "", flawAround},
		{"{mona@example.com}", "", flawList},
		{`{mona@example.com,"ali@example.com"}`, "", flawList},
		{`["mona@example.com"]`, "", flawList},
		{"@example.com", "", flawNoEmail},
		{"mona@", "", flawNoEmail},
		{"mona", "", flawNoEmail},
		{"", "", flawEmpty},
		{"\u200e\t", "", flawEmpty},
	} {
		got, flaw := Email(store.Sensitive(c.typed))
		if got.Reveal() != c.want || flaw != c.flaw {
			t.Errorf("%q is %q (%s), want %q (%s)", c.typed, got.Reveal(), flaw, c.want, c.flaw)
		}
	}
}

func TestWhyUnusable(t *testing.T) {
	t.Parallel()
	user := store.User{Phone: "{01001234567,01001234568}", Email: "Mona <mona@example.com>"}
	why := WhyUnusable(user, []Identifier{ByPhone, ByEmail}, "EG")
	if why != "phone is a list in braces or brackets, email has more around the address, such as a name, < > or mailto:" {
		t.Error(why)
	}
	for _, part := range []string{"0100", "mona"} {
		if strings.Contains(strings.ToLower(why), part) {
			t.Errorf("%q tells what the fields hold", why)
		}
	}
}
