package child_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"vlens-archiver/internal/testservices/child"
)

// parentVariable makes the test binary a program that starts a server and is
// then killed.
const parentVariable = "CHILD_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		beKilledParent()
	}
	os.Exit(m.Run())
}

func beKilledParent() {
	cmd := exec.Command("sleep", "1000")
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "pipe")}
	if _, err := child.Start(cmd, syscall.SIGKILL); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func TestServerDiesWithAKilledProgram(t *testing.T) {
	t.Parallel()
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = alive.Close() }()
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"=1")
	parent.ExtraFiles = []*os.File{held}
	parent.Stderr = os.Stderr
	runErr := parent.Run()
	_ = held.Close()
	if parent.ProcessState.ExitCode() != -1 {
		t.Fatalf("the parent was not killed: %v", runErr)
	}
	if err := alive.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := alive.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the server still holds its pipe: %v", err)
	}
}

func TestStubbornServerIsKilled(t *testing.T) {
	t.Parallel()
	ready, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ready.Close() }()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `trap "" TERM; echo ready; while :; do sleep 1; done`)
	cmd.Stdout = tell
	p, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(syscall.SIGTERM, 50*time.Millisecond); err == nil {
		t.Fatal("no word that the server had to be killed")
	}
	select {
	case <-p.Done():
	default:
		t.Fatal("the server still runs")
	}
	if err := p.Stop(syscall.SIGTERM, time.Minute); err != nil {
		t.Fatalf("stopping what is gone: %v", err)
	}
}
