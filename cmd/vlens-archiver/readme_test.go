package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"vlens-archiver/vlens/vlenstest"
)

// readme is the text that a newcomer follows.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The quick start, line by line, on a site of its own.
func TestREADMEQuickStart(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 12})
	commands := regexp.MustCompile(`(?m)^va ([^#\n]+)`).FindAllStringSubmatch(readme(t), -1)
	if len(commands) < 4 {
		t.Fatalf("the quick start has %d commands", len(commands))
	}
	for _, command := range commands {
		s.run(strings.Fields(command[1])...).exits(exitDone)
	}
	if images := s.vlens.Requests(vlenstest.Image); images != 12*vlenstest.KindCount {
		t.Errorf("the quick start fetched %d images of 12 users", images)
	}
	s.run("status").exits(exitDone).prints("12 users: archived 12")
}

// The table of commands, and every flag that the text names.
func TestREADMECommandsAndFlagsExist(t *testing.T) {
	t.Parallel()
	s := &site{t: t, vlens: mustTenant(t), config: "none.yaml", env: map[string]string{"SUBJECT_KEY": siteKey}}
	text := readme(t)
	rows := regexp.MustCompile("(?m)^\\| ((?:`[a-z]+`(?:, )?)+) \\|.*$").FindAllStringSubmatch(text, -1)
	if len(rows) < 7 {
		t.Fatalf("the table has %d commands", len(rows))
	}
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	for _, row := range rows {
		for _, name := range regexp.MustCompile("[a-z]+").FindAllString(row[1], -1) {
			help := s.run(name, "--help").exits(exitDone)
			for _, named := range flag.FindAllString(row[0], -1) {
				help.prints(named)
			}
			if name != "version" && name != "completion" {
				help.prints("Example")
			}
		}
	}
}

// Whoever follows another document must not meet a command or a flag that is not
// there.
func TestDocumentsNameCommandsAndFlagsThatExist(t *testing.T) {
	t.Parallel()
	s := &site{t: t, vlens: mustTenant(t), config: "none.yaml", env: map[string]string{"SUBJECT_KEY": siteKey}}
	call := regexp.MustCompile("(?m)vlens-archiver ([a-z]+)([^`#|\n]*)")
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	for _, file := range []string{"docs/operations.md", "docs/doctor.md"} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(file)
		calls := call.FindAllStringSubmatch(string(text), -1)
		if len(calls) == 0 {
			t.Errorf("%s names no command", file)
		}
		for _, found := range calls {
			name, flags := found[1], flag.FindAllString(found[2], -1)
			help := s.run(name, "--help").prints(programName + " " + name)
			for _, named := range flags {
				help.prints(named)
			}
		}
	}
}

func mustTenant(t *testing.T) *vlenstest.Server {
	t.Helper()
	tenant, err := vlenstest.New(vlenstest.Options{People: 1})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// Every exit code that the program has is explained, and no other.
func TestREADMEExitCodes(t *testing.T) {
	t.Parallel()
	text := readme(t)
	section := text[strings.Index(text, "## Exit codes"):]
	for _, code := range []string{"| 0 |", "| 1 |", "| 3 |", "| 4 |", "| 5 |", "| 6 |", "| 10 |", "| 130, 143 |"} {
		if !strings.Contains(section, code) {
			t.Errorf("no row %q", code)
		}
	}
	if rows := strings.Count(section, "\n| "); rows != 9 {
		t.Errorf("%d rows, want a head and 8 codes", rows)
	}
}
