package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"vlens-archiver/internal/config"
)

// Any text is either a configuration or an ErrInvalid that does not show what
// the environment holds.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add(minimal)
	f.Add(minimal + "worker: {concurrency: \"${N}\"}\n---\n")
	f.Add("a: &x [*x, !!y z, {? b: c}]\n<<: 'd\n")
	f.Add("source: {users_sql: \"SELECT $$;/*'\"}\nschedule: {cron: TZ=0}\n")
	const planted = "planted-in-environment"
	env := func(string) (string, bool) { return planted, true }
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := config.Parse("c.yaml", []byte(text), env)
		if err == nil {
			if len(cfg.Fingerprint()) != 64 {
				t.Fatal("a valid configuration without a fingerprint")
			}
			return
		}
		if cfg != nil || !errors.Is(err, config.ErrInvalid) {
			t.Fatalf("got %v, %v", cfg, err)
		}
		if strings.Contains(err.Error(), planted) && !strings.Contains(text, planted) {
			t.Fatalf("the environment is in the message: %v", err)
		}
	})
}
