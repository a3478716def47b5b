package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlens-archiver/internal/config"
)

func TestReferences(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return "${file:" + path + "}"
	}
	env := envOf(map[string]string{
		"PASSWORD": "from env", "NESTED": "${PASSWORD}", "YAML": "x: y # z", "_A1": "underscore",
	})
	for name, c := range map[string]struct{ value, want string }{
		"variable":              {"${PASSWORD}", "from env"},
		"quoted variable":       {`"${PASSWORD}"`, "from env"},
		"single quotes":         {`'${PASSWORD}'`, "from env"},
		"underscore":            {"${_A1}", "underscore"},
		"not expanded again":    {"${NESTED}", "${PASSWORD}"},
		"content is not syntax": {"${YAML}", "x: y # z"},
		"dollar":                {"pa$$word$", "pa$$word$"},
		"dollar name":           {"$PASSWORD", "$PASSWORD"},
		"inside a text":         {"a${PASSWORD}", "a${PASSWORD}"},
		"before a text":         {"${PASSWORD}b", "${PASSWORD}b"},
		"not a name":            {"${1A}", "${1A}"},
		"empty name":            {"${}", "${}"},
		"default syntax":        {"${PASSWORD:-x}", "${PASSWORD:-x}"},
		"number as text":        {"0123", "0123"},
		"bool as text":          {"true", "true"},
		"file":                  {file("plain", "from file"), "from file"},
		"file, newline":         {file("lf", "from file\n"), "from file"},
		"file, CRLF":            {file("crlf", "from file\r\n"), "from file"},
		"file, spaces stay":     {file("spaces", " from file \n"), " from file "},
		"file is not expanded":  {file("ref", "${PASSWORD}"), "${PASSWORD}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := parse(t, replace(t, "planted-password", c.value), env)
			if got := cfg.Vlens.Password.Reveal(); got != c.want {
				t.Fatalf("got %q, want %q", got, c.want)
			}
		})
	}

	// One newline is trimmed, not all: the second one is a problem to report.
	for name, value := range map[string]string{
		"two newlines": file("two", "x\n\n"),
		"not UTF-8":    file("latin", "\xe9"),
		"too large":    file("large", strings.Repeat("x", 64<<10+1)),
		"directory":    "${file:" + dir + "}",
	} {
		_, err := config.Parse("c.yaml", []byte(replace(t, "planted-api-key", value)), env)
		if !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), "c.yaml:6:12: vlens.api_key: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReferencesOfOtherTypes(t *testing.T) {
	t.Parallel()
	env := envOf(map[string]string{"N": "7", "B": "true", "D": "3h", "S": "64MiB", "CODE": "4010", "BAD": "planted-secret"})
	cfg := parse(t, minimal+"  force_path_style: ${B}\n"+
		"worker: {concurrency: \"${N}\", recheck_after: \"${D}\", memory: \"${S}\"}\n", env)
	if cfg.Worker.Concurrency != 7 || cfg.Worker.RecheckAfter.Hours() != 3 || cfg.Worker.Memory != 64*config.MiB || !cfg.Archive.ForcePathStyle {
		t.Errorf("got %+v", cfg)
	}
	cfg = parse(t, replace(t, "vlens:\n", "vlens:\n  codes:\n    gone:\n    - ${CODE}\n    - 4011\n"), env)
	if got := cfg.Vlens.Codes.Gone; len(got) != 2 || got[0] != 4010 || got[1] != 4011 {
		t.Errorf("codes = %v", got)
	}
	_, err := config.Parse("c.yaml", []byte(minimal+"worker:\n  concurrency: ${BAD}\n"), env)
	const want = "c.yaml:14:16: worker.concurrency: expected a whole number (the value comes from ${BAD})"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
