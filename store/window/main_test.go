package window_test

import (
	"flag"
	"os"
	"testing"
)

// usualChecks is how many cases each property is tried with, unless the command
// line says -rapid.checks=N.
const usualChecks = "10"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", usualChecks); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
