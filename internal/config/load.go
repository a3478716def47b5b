package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFileBytes bounds the configuration file. The YAML parser takes quadratic
// time on deep nesting, so the bound also bounds the time to refuse a file.
const maxFileBytes = 64 << 10

// Load reads the file at path. env is os.LookupEnv, or a stand-in for it.
// Every error wraps ErrInvalid; problems in the content are an *InvalidError.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: open the file: %w", ErrInvalid, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: read the file: %w", ErrInvalid, err)
	}
	return Parse(path, data, env)
}

// Parse reads the content of a configuration file; name stands for the file in
// problems. Every error is an *InvalidError with all the problems found.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	found := newFindings(name)
	cfg := defaults()
	if body, ok := document(data, found); ok {
		d := decoder{env: env, found: found}
		if body != nil {
			d.section("", body, reflect.ValueOf(&cfg).Elem())
		}
		check(&cfg, found)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return &cfg, nil
}

// document parses the one YAML document of a file; an empty file has a nil one.
func document(data []byte, found *findings) (ast.Node, bool) {
	if len(data) > maxFileBytes {
		found.add("", fmt.Sprintf("the file has more than %d bytes", maxFileBytes))
		return nil, false
	}
	if !utf8.Valid(data) {
		found.add("", "the file is not UTF-8 text")
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// The decoder here finds duplicate keys itself, to report all of them.
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, message := syntaxProblem(data, err)
		found.addAt(at, "", message)
		return nil, false
	}
	if len(file.Docs) > 1 {
		at := place{line: 1, column: 1}
		if start := file.Docs[1].Start; start != nil {
			at = place{line: start.Position.Line, column: start.Position.Column}
		}
		found.addAt(at, "", "expected one YAML document, without directives")
		return nil, false
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, true
	}
	return file.Docs[0].Body, true
}

// quoted matches the pieces of the file that the parser quotes in messages.
var quoted = regexp.MustCompile(`"[^"]*"|'[^][{},']'`)

// syntaxProblem takes position and message of a parser error, and leaves out
// the lines around it, which may hold a secret.
func syntaxProblem(data []byte, err error) (place, string) {
	at := place{line: 1, column: 1}
	syntax, ok := errors.AsType[*yaml.SyntaxError](err)
	if !ok {
		return at, "not a YAML document"
	}
	if syntax.Token != nil && syntax.Token.Position != nil {
		at = place{line: syntax.Token.Position.Line, column: syntax.Token.Position.Column}
	}
	message := "not valid YAML: " + quoted.ReplaceAllString(syntax.Message, "…")
	lines := bytes.Split(data, []byte("\n"))
	if at.line >= 1 && at.line <= len(lines) && bytes.Contains(lines[at.line-1], []byte("${")) {
		message += `; inside { } or [ ] a reference needs quotes: "${NAME}"`
	}
	return at, message
}
