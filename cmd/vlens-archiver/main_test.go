package main

import (
	"os"
	"path/filepath"
	"testing"

	"vlens-archiver/internal/testservices"
)

// TestMain lets the test binary be the program itself under the program's name,
// for scripts and for tests that send signals.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == programName {
		main()
	}
	for name, value := range awsEnvironment {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	testservices.Main(m)
}

// awsEnvironment is the account of the tests' S3 server.
var awsEnvironment = map[string]string{
	"AWS_ACCESS_KEY_ID":         "test-access-key",
	"AWS_SECRET_ACCESS_KEY":     "test-secret-key",
	"AWS_EC2_METADATA_DISABLED": "true",
	"AWS_CONFIG_FILE":           os.DevNull,
}

// asProgram gives a directory in which the test binary goes by the program's
// name.
func asProgram(t interface{ Fatal(args ...any) }, dir string) string {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, programName)
	if err := os.Symlink(binary, program); err != nil {
		t.Fatal(err)
	}
	return program
}
