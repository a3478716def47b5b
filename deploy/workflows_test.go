package deploy_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// workflow is what is looked at of a GitHub workflow. Its "on" is no boolean in
// the YAML that GitHub reads.
type workflow struct {
	On          any
	Permissions map[string]string
	Jobs        map[string]struct {
		Permissions    map[string]string
		TimeoutMinutes int `yaml:"timeout-minutes"`
		Uses           string
		Needs          string
		Steps          []struct {
			Uses string
			Run  string
			With map[string]any
		}
	}
}

// workflows are the workflows by file name, and their text.
func workflows(t *testing.T) (parsed map[string]workflow, texts map[string]string) {
	t.Helper()
	files, err := filepath.Glob("../.github/workflows/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("workflows %v: %v", files, err)
	}
	parsed, texts = make(map[string]workflow), make(map[string]string)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var w workflow
		if err := yaml.Unmarshal(content, &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		parsed[filepath.Base(file)], texts[filepath.Base(file)] = w, string(content)
	}
	return parsed, texts
}

// An action named by a tag is whatever its owner, or a thief, says tomorrow.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	parsed, texts := workflows(t)
	for name, text := range texts {
		lines := 0
		for line := range strings.Lines(text) {
			use := strings.TrimPrefix(strings.TrimSpace(line), "- ")
			if !strings.HasPrefix(use, "uses:") {
				continue
			}
			lines++
			if !pinned.MatchString(use) && use != "uses: ./.github/workflows/ci.yml" {
				t.Errorf("%s: %s: expected a full commit and its version as a comment", name, use)
			}
		}
		used := 0
		for _, job := range parsed[name].Jobs {
			if job.Uses != "" {
				used++
			}
			for _, step := range job.Steps {
				if step.Uses != "" {
					used++
				}
			}
		}
		if used != lines {
			t.Errorf("%s: %d actions, %d of them were looked at", name, used, lines)
		}
	}
}

// Whatever runs in a workflow may read the repository, and what a job may do
// beyond that is named here.
func TestWorkflowPermissions(t *testing.T) {
	t.Parallel()
	more := map[string]map[string]string{
		"release.yml image": {"contents": "write", "packages": "write", "id-token": "write"},
	}
	parsed, texts := workflows(t)
	for name, w := range parsed {
		if !maps.Equal(w.Permissions, map[string]string{"contents": "read"}) {
			t.Errorf("%s: permissions %v", name, w.Permissions)
		}
		for id, job := range w.Jobs {
			if !maps.Equal(job.Permissions, more[name+" "+id]) {
				t.Errorf("%s %s: permissions %v", name, id, job.Permissions)
			}
			if job.Uses == "" && job.TimeoutMinutes == 0 {
				t.Errorf("%s %s: no timeout-minutes", name, id)
			}
			for _, step := range job.Steps {
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
					t.Errorf("%s %s: the checkout leaves a token behind", name, id)
				}
				// What others write, such as a branch's name, would be run as shell.
				if strings.Contains(step.Run, "${{") {
					t.Errorf("%s %s: an expression inside a script: %s", name, id, step.Run)
				}
			}
		}
		if strings.Contains(texts[name], "pull_request_target") {
			t.Errorf("%s runs strangers' changes with the repository's rights", name)
		}
	}
}

func TestWorkflowsDoTheirWork(t *testing.T) {
	t.Parallel()
	parsed, _ := workflows(t)
	for _, c := range []struct{ file, job, on, script string }{
		{"ci.yml", "check", "push", ".ci/run"},
		{"ci.yml", "check", "pull_request", ".ci/run"},
		{"daily.yml", "newest", "schedule", "go get -u ./... && go mod tidy"},
		{"daily.yml", "newest", "schedule", ".ci/run"},
		{"daily.yml", "vulnerabilities", "schedule", "make vulnerabilities"},
		{"release.yml", "image", "push", `--platform linux/amd64,linux/arm64`},
		{"release.yml", "image", "push", `--build-arg VERSION="$VERSION" --build-arg COMMIT="$GITHUB_SHA"`},
		{"release.yml", "image", "push", "make sbom"},
		{"release.yml", "image", "push", `sign --yes "$IMAGE@$DIGEST"`},
		{"release.yml", "image", "push", "attest --yes --type cyclonedx --predicate bin/sbom.cdx.json"},
	} {
		w := parsed[c.file]
		events, _ := w.On.(map[string]any)
		if _, found := events[c.on]; !found {
			t.Errorf("%s does not run on %s", c.file, c.on)
		}
		var scripts []string
		for _, step := range w.Jobs[c.job].Steps {
			scripts = append(scripts, step.Run)
		}
		if !slices.ContainsFunc(scripts, func(script string) bool { return strings.Contains(script, c.script) }) {
			t.Errorf("%s %s does not run %q", c.file, c.job, c.script)
		}
	}
	if release := parsed["release.yml"]; release.Jobs["image"].Needs != "check" || release.Jobs["check"].Uses != "./.github/workflows/ci.yml" {
		t.Error("an image is released that the checks have not passed")
	}
}

// Tools that workflows install themselves have versions, and those of the
// Dockerfile are the same everywhere.
func TestToolsHaveVersions(t *testing.T) {
	t.Parallel()
	_, texts := workflows(t)
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	texts["Makefile"] = string(makefile)
	tool := regexp.MustCompile(`go (?:run|install) (github\.com|golang\.org)/\S+`)
	exact := regexp.MustCompile(`@v\d+\.\d+\.\d+$`)
	found := 0
	for name, text := range texts {
		for _, command := range tool.FindAllString(text, -1) {
			found++
			if !exact.MatchString(command) {
				t.Errorf("%s: %s: expected an exact version", name, command)
			}
		}
		for _, version := range regexp.MustCompile(`go-version: "([^"]+)" # as the Dockerfile`).FindAllStringSubmatch(text, -1) {
			if build, _ := dockerfile(t); !strings.Contains(build[0], "golang:"+version[1]+" ") {
				t.Errorf("%s builds with Go %s, the Dockerfile says %s", name, version[1], build[0])
			}
		}
	}
	if found < 4 {
		t.Errorf("%d tools found", found)
	}
}
