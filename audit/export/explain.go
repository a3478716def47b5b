package export

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"
)

//go:embed explain/VERIFY.txt
var verifyText string

// verifyScript is verify.py: it comes with every export, so that who receives
// one needs no program of ours.
//
//go:embed explain/verify.py
var verifyScript string

var verifyTemplate = template.Must(template.New("VERIFY.txt").Parse(verifyText))

// explain is VERIFY.txt: how to check the export, in English and Arabic. The
// commands in it follow a dollar sign, and a test runs them.
func explain(x Index) (string, error) {
	var text strings.Builder
	if err := verifyTemplate.Execute(&text, x); err != nil {
		return "", fmt.Errorf("write VERIFY.txt: %w", err)
	}
	return text.String(), nil
}
