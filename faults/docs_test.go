package faults_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestCrashSafetyNamesTests makes sure that docs/crash-safety.md names only
// tests that exist, and each test of this suite.
func TestCrashSafetyNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/crash-safety.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bTest\w+`).FindAllString(string(page), -1) {
		named[name] = true
	}
	existing := map[string]bool{}
	for _, dir := range []string{".", "../worker", "../store/postgres", "../cmd/vlens-archiver"} {
		for name := range testsIn(t, dir) {
			existing[name] = true
			if dir == "." && !named[name] && name != "TestCrashSafetyNamesTests" {
				t.Errorf("the page does not say what %s shows", name)
			}
		}
	}
	for name := range named {
		if !existing[name] {
			t.Errorf("the page names %s, which is no test", name)
		}
	}
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range testFunction.FindAllStringSubmatch(string(text), -1) {
			if found[1] != "TestMain" {
				tests[found[1]] = true
			}
		}
	}
	return tests
}
