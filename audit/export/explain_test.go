package export_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
)

// Whatever is done to an exported folder, verify.py says that it is wrong. Each
// change is made as a forger would, with manifests that fit.
func TestVerifyScriptNoticesChanges(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	for name, forge := range map[string]func(f forgery){
		"nothing":                     func(forgery) {},
		"an image, flipped":           func(f forgery) { f.edit("id_front.*", audittest.Flip) },
		"an image, missing":           func(f forgery) { f.remove("id_front.*") },
		"a record, another time":      func(f forgery) { f.replace("record.0001.json", `"archived_at": "2`, `"archived_at": "3`) },
		"a proof, another index":      func(f forgery) { f.replace("record.0001.tlog-proof", "\nindex ", "\nindex 1") },
		"a proof, another root":       func(f forgery) { f.edit("record.0001.tlog-proof", swapRoot) },
		"a proof, another signature":  func(f forgery) { f.edit("record.0001.tlog-proof", audittest.SwapSignature) },
		"a record and its proof gone": func(f forgery) { f.remove("record.0001.json"); f.remove("record.0001.tlog-proof") },
		"another verifier key":        func(f forgery) { f.replaceIn("data/export.json", `"verifier_key": "acme`, `"verifier_key": "acne`) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "evidence")
			if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.Folder(folder)); err != nil {
				t.Fatal(err)
			}
			forge(forgery{t, folder})
			rebag(t, folder)
			output, err := exec.CommandContext(t.Context(), "python3", filepath.Join(folder, "verify.py")).CombinedOutput()
			if right := name == "nothing"; (err == nil) != right || strings.Contains(string(output), "RIGHT") != right {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// followVERIFY types every command of VERIFY.txt into a shell, one after the
// other, and expects each to succeed, or at least one to fail.
func followVERIFY(t *testing.T, folder string, right bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "VERIFY.txt"))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    \$ (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(commands) < 3 {
		t.Fatalf("VERIFY.txt tells %d commands:\n%s", len(commands), text)
	}
	script := "set -e\n"
	for _, command := range commands {
		script += command[1] + "\n"
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", script)
	shell.Dir = folder
	output, err := shell.CombinedOutput()
	if (err == nil) != right {
		t.Errorf("following VERIFY.txt: %v, want right %t\n%s\n%s", err, right, script, output)
	}
}
