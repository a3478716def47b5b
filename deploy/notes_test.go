package deploy_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the installer is told to type fits what was installed.
func TestNotesTellToExamine(t *testing.T) {
	t.Parallel()
	notes := func(values map[string]any) string {
		files, err := renderFiles(values)
		if err != nil {
			t.Fatal(err)
		}
		return files["vlens-archiver/templates/NOTES.txt"]
	}

	text := notes(nil)
	job := mustRender(t, nil).cronJob
	for _, said := range []string{
		"--namespace " + job.Namespace + " create job --from=cronjob/" + job.Name + " " + job.Name + "-doctor",
		"logs --follow job/" + job.Name + "-doctor",
	} {
		if !strings.Contains(text, said) {
			t.Errorf("the notes lack %q:\n%s", said, text)
		}
	}
	var patch []struct {
		Op, Path string
		Value    any
	}
	quoted := regexp.MustCompile(`(?s)-p '(.*?)'`).FindStringSubmatch(text)
	if quoted == nil {
		t.Fatalf("the notes have no patch:\n%s", text)
	}
	if err := json.Unmarshal([]byte(quoted[1]), &patch); err != nil {
		t.Fatal(err)
	}
	spec := job.Spec.JobTemplate.Spec
	for _, step := range patch {
		switch step.Path {
		case "/spec/parallelism", "/spec/completions":
			if spec.Parallelism == nil || spec.Completions == nil || step.Value != 1.0 {
				t.Errorf("patch of what is not there: %+v", step)
			}
		case "/spec/template/spec/containers/0/args":
			args := step.Value.([]any)
			if args[0] != spec.Template.Spec.Containers[0].Args[0] || !slices.Equal(args[1:], []any{"doctor"}) {
				t.Errorf("args %v, those of a run are %v", args, spec.Template.Spec.Containers[0].Args)
			}
		default:
			t.Errorf("patch of %s", step.Path)
		}
	}
	if len(patch) != 3 {
		t.Errorf("%d steps in the patch", len(patch))
	}

	scheduled := map[string]any{"schedule": map[string]any{"enabled": true}}
	text = notes(scheduled)
	deployment := mustRender(t, scheduled).schedule
	said := "exec deployment/" + deployment.Name + " -- /usr/bin/vlens-archiver " + deployment.Spec.Template.Spec.Containers[0].Args[0] + " doctor"
	if !strings.Contains(text, said) {
		t.Errorf("the notes lack %q:\n%s", said, text)
	}
}
