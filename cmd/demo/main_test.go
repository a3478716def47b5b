package main

import (
	"os"
	"path/filepath"
	"testing"
)

const programName = "demo"

// TestMain lets the test binary be the program itself under the program's name,
// for tests that send signals.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == programName {
		main()
	}
	os.Exit(m.Run())
}
