package report_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"vlens-archiver/audit/report"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

const perMinute = 40

// page is the page about a scope, as text and as what it was made from.
func (h *history) page(scope store.ReportScope) (string, report.Page) {
	h.Helper()
	figures, err := h.ledger.Report(h.Context(), scope)
	h.must(err)
	page := report.Page{Report: figures, Tool: manifest.Tool{Version: "1.0.0", Commit: "4f2a9c1"}, PerMinute: perMinute}
	var text bytes.Buffer
	h.must(report.Write(&text, page))
	return text.String(), page
}

// Every number on the page is what a query of its own on the ledger says, about
// a period, a run that is closed and one that is open.
func TestEveryFigureOfAReportEqualsAQueryOnTheLedger(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	t.Run("everything is said", func(t *testing.T) { everythingIsSaid(t, h) })
	for name, scope := range map[string]store.ReportScope{
		"thirty days": {},
		"past days":   {Since: h.today.AddDate(0, 0, -20), Until: h.today.AddDate(0, 0, -10)},
		"one run":     {RunID: h.last},
		"open run":    {RunID: "manual-now"},
		"no work":     {Since: h.today.AddDate(-3, 0, 0), Until: h.today.AddDate(-2, 0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			text, page := h.page(scope)
			a := arithmetic{history: h, T: t, page: page, run: scope.RunID, bounded: !scope.Until.IsZero()}
			if page.Run != nil {
				a.bounded = page.Run.EndedAt != nil
			}
			seen := readFigures(t, text)
			for figure, values := range seen {
				want := a.value(figure)
				for _, got := range values {
					if got != want {
						t.Errorf("%s: the page says %q, the ledger %q", figure, got, want)
					}
				}
			}
			if len(seen) < 80 {
				t.Errorf("only %d figures were found on the page", len(seen))
			}
		})
	}
}

// everythingIsSaid makes sure that a history has everything in it that the page
// must be able to say, and that the page says it and names nobody.
func everythingIsSaid(t *testing.T, h *history) {
	text, page := h.page(store.ReportScope{})
	for _, outcome := range store.Outcomes {
		if page.Work.Outcomes[outcome] == 0 {
			t.Errorf("no attempt came to %q", outcome)
		}
	}
	for _, state := range store.States {
		if page.Users.States[state] == 0 {
			t.Errorf("nobody is %q", state)
		}
	}
	if len(page.Failures) != len(store.Classes) {
		t.Errorf("%d classes, want %d", len(page.Failures), len(store.Classes))
	}
	prose := textOf(text)
	for _, info := range store.Classes {
		for _, said := range []string{string(info.Class), info.Meaning, info.Remedy} {
			if !strings.Contains(prose, said) {
				t.Errorf("the page lacks %q", said)
			}
		}
	}
	for _, personal := range []string{"user-", "+2010", "aaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		if strings.Contains(text, personal) {
			t.Errorf("the page has %q", personal)
		}
	}
	if pseudonym := regexp.MustCompile(`\b[a-z2-7]{26}\b`).FindString(text); pseudonym != "" {
		t.Errorf("the page has a pseudonym: %q", pseudonym)
	}
	if bound := 500 << 10; len(text) > bound {
		t.Errorf("the page has %d bytes", len(text))
	}
	body, err := json.Marshal(page)
	h.must(err)
	if strings.Contains(string(body), "user-") || strings.Contains(string(body), "aaaaaaaaaaaaaaaaaaaaaaaaaa") {
		t.Errorf("the JSON form names somebody: %s", body)
	}
}

func TestReportOfAnEmptyLedger(t *testing.T) {
	t.Parallel()
	h := newLedger(t)
	text, page := h.page(store.ReportScope{})
	if page.Archive != nil || page.Users.Total != 0 || len(page.Points) != 30 {
		t.Errorf("%+v", page)
	}
	prose := textOf(text)
	for _, said := range []string{"The ledger knows no users yet.", "No run began in the period.", "The source has not been read yet.", "was not verified", "no entries yet"} {
		if !strings.Contains(prose, said) {
			t.Errorf("the page lacks %q", said)
		}
	}
	if _, err := h.ledger.Report(t.Context(), store.ReportScope{RunID: "nobody-knows"}); err == nil {
		t.Error("a run that is not there has a report")
	}
}

// The verdict says what is missing, in one sentence.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		states, left map[store.State]int64
		unexplained  int64
		says         string
		lede         string
	}{
		{map[store.State]int64{"archived": 1200}, nil, 0, "Complete: all 1,200 users are archived.", "Nobody waits, nobody failed."},
		{map[store.State]int64{"archived": 1}, nil, 0, "Complete: the one user is archived.", ""},
		{map[store.State]int64{"archived": 9, "not_found": 1}, nil, 0, "Complete: every one of 10 users is accounted for, and 9 are archived.", "For 1, Vlens has nothing to archive."},
		{map[store.State]int64{"no_images": 3, "not_found": 17}, nil, 0, "Nobody is archived: Vlens has images of none of 20 users.", "For 20, Vlens has nothing to archive."},
		{map[store.State]int64{"archived": 9, "pending": 1}, nil, 0, "Not complete: 1 of 10 users still lacks images.", "1 waits for a first attempt."},
		{map[store.State]int64{"archived": 7, "failed": 2, "partial": 1}, nil, 0, "Not complete: 3 of 10 users still lack images.", "1 is partly archived. 2 failed."},
		{map[store.State]int64{"archived": 9, "failed": 1}, map[store.State]int64{"failed": 1}, 0, "Complete: every one of 10 users is accounted for", "1 left the source before they could be archived."},
		{map[store.State]int64{"archived": 9, "failed": 1}, nil, 1, "Not complete: 1 of 10 users are unexplained.", ""},
	} {
		r := report.Page{}
		r.Points = make([]store.ReportPoint, 1)
		r.Waiting.OldestAt = &r.MadeAt
		r.Users = store.ReportUsers{States: c.states, LeftStates: c.left, Unexplained: c.unexplained}
		for _, n := range c.states {
			r.Users.Total += n
		}
		var page bytes.Buffer
		if err := report.Write(&page, r); err != nil {
			t.Fatal(err)
		}
		text := textOf(page.String())
		for _, said := range []string{c.says, c.lede} {
			if !strings.Contains(text, said) {
				t.Errorf("%v: the page lacks %q:\n%.400s", c.states, said, text)
			}
		}
	}
}

// readFigures is every figure of the page by its name. A number that belongs to
// no figure fails the test.
func readFigures(t *testing.T, page string) map[string][]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	figures := make(map[string][]string)
	var walk func(*html.Node, bool)
	walk = func(n *html.Node, told bool) {
		if n.Type == html.ElementNode {
			name := attribute(n, "data-figure")
			switch {
			case n.Data == "style", n.Data == "title" && n.Namespace == "":
				return
			case name != "":
				value := attribute(n, "value") + attribute(n, "data-value") + attribute(n, "datetime")
				figures[name] = append(figures[name], value)
				told = true
			case attribute(n, "class") == "name", attribute(n, "class") == "axis", attribute(n, "class") == "prose", n.Data == "code":
				told = true
			}
		}
		if n.Type == html.TextNode && !told && strings.ContainsAny(n.Data, "0123456789") {
			t.Errorf("a number that is no figure: %q", strings.TrimSpace(n.Data))
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			walk(child, told)
		}
	}
	walk(root, false)
	return figures
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// textOf is what a person reads on a page, with single spaces.
func textOf(page string) string {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return ""
	}
	var text strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			text.WriteString(n.Data)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
