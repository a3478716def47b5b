package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"vlens-archiver/store/manifest"
)

// page is text for people: lines, and tables with aligned columns.
type page struct{ text strings.Builder }

func (p *page) line(format string, values ...any) {
	fmt.Fprintf(&p.text, format+"\n", values...)
}

// table writes rows of cells in columns, the first row being the heading.
func (p *page) table(rows [][]string) {
	table := tabwriter.NewWriter(&p.text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	_ = table.Flush() // a strings.Builder takes everything
}

func (p *page) String() string { return p.text.String() }

// instant is a time for people, RFC 3339 in UTC to the second; "-" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// moment is a time for JSON; nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = manifest.Time(t)
	return &t
}
