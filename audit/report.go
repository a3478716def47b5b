package audit

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Report is what a report page shows.
type Report struct {
	store.Report
	Tool manifest.Tool `json:"tool"`
	// PerMinute is the limit of requests a minute that the configuration allows,
	// which the ledger does not keep; 0 is none.
	PerMinute int `json:"per_minute"`
}

//go:embed report.html.tmpl
var reportPage string

//go:embed report.css
var reportStyle string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"figure":  figure,
	"size":    size,
	"share":   share,
	"lasting": lasting,
	"label":   func(name, text string) template.HTML { return data(name, text, text) },
	"moment":  moment,
	"day":     day,
	"scope":   scopeText,
	"plural":  plural,
	"state":   func(s store.State) wording { return stateWords[s] },
	"outcome": func(o store.Outcome) wording { return outcomeWords[o] },
	"style":   func() template.CSS { return template.CSS(reportStyle) }, // our own file
	"styleHash": func() string {
		sum := sha256.Sum256([]byte(reportStyle))
		return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	},
}).Parse(reportPage))

// WriteReport writes the report as one HTML page that needs nothing else: no
// script, no font, no picture from anywhere.
func WriteReport(out io.Writer, report Report) error {
	var page bytes.Buffer // so that a fault leaves no half a page
	if err := reportTemplate.Execute(&page, view{report}); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := page.WriteTo(out); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
