package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSignals stops the demo as a process and looks for what it leaves behind.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		args   []string
		after  string // the signal is sent when a line starts with it
		signal syscall.Signal
		code   int
	}{
		{"interrupted while it starts", nil, "Starting", syscall.SIGINT, exitInterrupted},
		{"terminated while it starts", nil, "Starting", syscall.SIGTERM, exitTerminated},
		{"kept until Ctrl-C", []string{"--keep"}, "  archiver", syscall.SIGINT, exitDone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			temporary := temporaryFolder(t)
			args := append([]string{"--users", "2", "--dir", filepath.Join(t.TempDir(), "archive")}, c.args...)
			command := exec.CommandContext(t.Context(), asProgram(t), args...)
			command.Env = append(os.Environ(), "TMPDIR="+temporary)
			command.Stderr = os.Stderr
			stdout, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			said := bufio.NewScanner(stdout)
			for said.Scan() {
				if strings.HasPrefix(said.Text(), c.after) {
					if err := command.Process.Signal(c.signal); err != nil {
						t.Error(err)
					}
				}
			}
			err = command.Wait()
			if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
				t.Fatal(err)
			}
			if code := command.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			left, err := os.ReadDir(temporary)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range left {
				t.Errorf("%s is left", entry.Name())
			}
			for _, process := range processesIn(t, temporary) {
				t.Errorf("it left running: %s", process)
			}
		})
	}
}

// processesIn are the command lines that name the folder: PostgreSQL's do.
func processesIn(t *testing.T, dir string) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		line, _ := os.ReadFile(name) // a process may end meanwhile
		if strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// temporaryFolder is passable for the account that PostgreSQL runs as when the
// test runs as root.
func temporaryFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "demo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// asProgram gives the test binary the program's name.
func asProgram(t *testing.T) string {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), programName)
	if err := os.Symlink(binary, program); err != nil {
		t.Fatal(err)
	}
	return program
}
