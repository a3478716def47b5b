package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlens-archiver/vlens/vlenstest"
)

// events are the names of the events of a log. Every line of it must have one,
// and say of which run it is.
func events(t *testing.T, log string) []string {
	t.Helper()
	var names []string
	subjects := make(map[string]int)
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue // the last words, for people
		}
		var entry struct {
			Event   string
			RunID   string `json:"run_id"`
			Subject string
			Level   string
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("a log line is no JSON: %v: %s", err, line)
		}
		if entry.Event == "" || entry.RunID == "" {
			t.Errorf("a log line has no event or no run: %s", line)
		}
		if entry.Event == "user_done" {
			subjects[entry.Subject]++
		}
		names = append(names, entry.Event)
	}
	for subject, lines := range subjects {
		if subject == "" || lines != 1 {
			t.Errorf("subject %q has %d lines", subject, lines)
		}
	}
	return names
}

var levels = map[string]string{"Debug": "debug", "Info": "info", "Warn": "warn", "Error": "error"}

// logCall is a call of the source that logs.
type logCall struct{ where, event, level string }

// logCalls are all of them in the product. Whatever is called like a method of
// slog and begins with a text, or with a context, a level and a text, logs.
func logCalls(t *testing.T) []logCall {
	t.Helper()
	var calls []logCall
	files := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2 || entry.Name() == "demo" || entry.Name() == "bench" || strings.HasSuffix(entry.Name(), "test") || entry.Name() == "testservices"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			ast.Inspect(declaration, func(node ast.Node) bool {
				if level, ok := logs(node); ok {
					calls = append(calls, logCall{files.Position(node.Pos()).String(), eventIn(node, declaration), level})
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// logs reports whether the node is a call that logs, and at which level.
func logs(node ast.Node) (level string, ok bool) {
	call, isCall := node.(*ast.CallExpr)
	if !isCall {
		return "", false
	}
	method, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod {
		return "", false
	}
	name, withContext := strings.CutSuffix(method.Sel.Name, "Context")
	message := 0
	switch {
	case name == "Log" || name == "LogAttrs":
		message, level = 2, "info"
		if len(call.Args) > 1 {
			if named, isNamed := call.Args[1].(*ast.SelectorExpr); isNamed {
				level = levels[strings.TrimPrefix(named.Sel.Name, "Level")]
			}
		}
	case levels[name] != "":
		level = levels[name]
		if withContext {
			message = 1
		}
	default:
		return "", false
	}
	if len(call.Args) <= message {
		return "", false
	}
	_, isText := textOf(call.Args[message])
	return level, isText
}

// eventIn is the event that a call names, itself or by attributes that its
// function put together before.
func eventIn(call, function ast.Node) string {
	for _, place := range []ast.Node{call, function} {
		event, before := "", ""
		ast.Inspect(place, func(node ast.Node) bool {
			expression, ok := node.(ast.Expr)
			if !ok || event != "" {
				return event == ""
			}
			if text, isText := textOf(expression); isText {
				if before == "event" {
					event = text
				}
				before = text
			}
			return true
		})
		if event != "" {
			return event
		}
	}
	return ""
}

func textOf(node ast.Expr) (string, bool) {
	literal, ok := node.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}

var eventRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (debug|info|warn|error) \\|")

// Every log call has an event that docs/telemetry.md lists with its level, and
// nothing else is listed.
func TestTheDocumentListsTheEvents(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, row := range eventRow.FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = row[2]
	}
	calls := logCalls(t)
	if len(calls) < 15 {
		t.Fatalf("%d log calls found: the search proves nothing", len(calls))
	}
	logged := make(map[string]bool)
	for _, call := range calls {
		logged[call.event] = true
		switch level, there := documented[call.event]; {
		case call.event == "":
			t.Errorf("%s: the log call has no event", call.where)
		case !there:
			t.Errorf("%s: docs/telemetry.md lacks the event %s", call.where, call.event)
		case level != call.level:
			t.Errorf("%s: %s is logged at %s, docs/telemetry.md says %s", call.where, call.event, call.level, level)
		}
	}
	for event := range documented {
		if !logged[event] {
			t.Errorf("docs/telemetry.md lists the event %s, which nothing logs", event)
		}
	}
}

// A real run logs what the document says, a line per user at most.
func TestEveryLineOfARunHasItsEvent(t *testing.T) {
	t.Parallel()
	s := mixedSite(t)
	e := s.run("run", "--log-format", "json").exits(exitUsersFailed)
	counts := make(map[string]int)
	for _, event := range events(t, e.stderr) {
		counts[event]++
	}
	for event, want := range map[string]int{"run_opened": 1, "users_synced": 1, "user_done": 9, "run_closed": 1, "run_left": 1} {
		if counts[event] != want {
			t.Errorf("%d lines of the event %s, want %d: %s", counts[event], event, want, e.stderr)
		}
	}
	if !strings.Contains(e.stderr, `"event":"run_left","run_id":"manual-`) || !strings.Contains(e.stderr, `"exit_code":3`) {
		t.Errorf("the last line lacks run or exit code: %s", e.stderr)
	}

	plain := newSite(t, vlenstest.Options{People: 1}).migrated().run("run", "--log-format", "text").exits(exitDone)
	if !strings.Contains(plain.stderr, "event=user_done") {
		t.Errorf("the log as text: %s", plain.stderr)
	}
}
