package report

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

// Page is what the page of a report shows.
type Page struct {
	store.Report
	Tool manifest.Tool `json:"tool"`
	// PerMinute is the limit of requests a minute that the configuration allows,
	// which the ledger does not keep; 0 is none.
	PerMinute int `json:"per_minute"`
}

//go:embed page.html.tmpl
var templateText string

//go:embed page.css
var style string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
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
	"style":   func() template.CSS { return template.CSS(style) }, // our own file
	"styleHash": func() string {
		sum := sha256.Sum256([]byte(style))
		return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	},
}).Parse(templateText))

// Write writes a report as one HTML page that needs nothing else: no script, no
// font, no picture from anywhere.
func Write(out io.Writer, page Page) error {
	var text bytes.Buffer // so that a fault leaves no half a page
	if err := pageTemplate.Execute(&text, view{page}); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := text.WriteTo(out); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
