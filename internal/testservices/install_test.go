package testservices

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installs makes the programs that it is asked for; fails has no network.
const (
	installs = `#!/bin/sh
echo "apt-get $*" >>"$CALLS"
[ "$1" = update ] || for package; do :> "$PROGRAMS/$package"; chmod +x "$PROGRAMS/$package"; done
`
	fails = `#!/bin/sh
exit 100
`
)

// TestInstall runs install.sh where only some programs are: what is missing is
// installed, or named before anything else is done.
func TestInstall(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("install.sh"); err != nil { // a cached result ends when the script changes
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		there, aptGet string
		code          int
		said, calls   string
	}{
		"all is there":           {there: "chromium openssl python3"},
		"another browser":        {there: "google-chrome openssl python3"},
		"something is missing":   {there: "openssl", aptGet: installs, calls: "install -y -q --no-install-recommends chromium python3\n"},
		"no network":             {there: "openssl", aptGet: fails, code: 1, said: "names of Debian's packages: chromium python3\n"},
		"no Debian":              {there: "openssl", code: 1, said: "names of Debian's packages: chromium python3\n"},
		"nothing, and no Debian": {code: 1, said: "names of Debian's packages: chromium openssl python3\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			programs := t.TempDir()
			for _, name := range []string{"sh", "id", "chmod"} { // what the scripts themselves need
				file, err := exec.LookPath(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(file, filepath.Join(programs, name)); err != nil {
					t.Fatal(err)
				}
			}
			scripts := map[string]string{"sudo": "#!/bin/sh\n[ \"$2\" = true ] || { shift; exec \"$@\"; }\n"}
			for _, name := range strings.Fields(c.there) {
				scripts[name] = "#!/bin/sh\n"
			}
			if c.aptGet != "" {
				scripts["apt-get"] = c.aptGet
			}
			for name, script := range scripts {
				if err := os.WriteFile(filepath.Join(programs, name), []byte(script), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			calls := filepath.Join(t.TempDir(), "calls")
			command := exec.CommandContext(t.Context(), "/bin/sh", "install.sh", "chromium", "openssl", "python3")
			command.Env = []string{"PATH=" + programs, "PROGRAMS=" + programs, "CALLS=" + calls}
			said, err := command.CombinedOutput()
			if command.ProcessState == nil || command.ProcessState.ExitCode() != c.code {
				t.Fatalf("%v\n%s", err, said)
			}
			if !strings.Contains(string(said), c.said) || c.aptGet == "" && c.code == 0 && len(said) > 0 {
				t.Errorf("it says %q", said)
			}
			called, _ := os.ReadFile(calls) // there is none when nothing was called
			if !strings.HasSuffix(string(called), c.calls) || c.calls == "" && len(called) > 0 {
				t.Errorf("calls:\n%s", called)
			}
		})
	}
}
