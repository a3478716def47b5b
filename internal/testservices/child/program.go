package child

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// stopDelay is how long an interrupted build may take to end.
const stopDelay = 10 * time.Second

// programs are the files that Program has found, by tool.
var programs struct {
	sync.Mutex
	files map[string]string
}

// Program is the file of one of go.mod's tools. Go builds it without the race
// detector and keeps it in its build cache, so that all test processes share it.
func Program(ctx context.Context, tool string) (string, error) {
	programs.Lock()
	defer programs.Unlock()
	if file, found := programs.files[tool]; found {
		return file, nil
	}
	// A build that is interrupted may leave files; it has a folder of its own for them.
	temporary, err := os.MkdirTemp("", "build-")
	if err != nil {
		return "", fmt.Errorf("build %s: %w", tool, err)
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	build := exec.CommandContext(ctx, "go", "tool", "-n", tool)
	build.Env = append(os.Environ(), "GOTMPDIR="+temporary)
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) }
	build.WaitDelay = stopDelay
	var stderr strings.Builder
	build.Stderr = &stderr
	output, err := build.Output()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", tool, err, stderr.String())
	}
	if programs.files == nil {
		programs.files = make(map[string]string)
	}
	programs.files[tool] = strings.TrimSpace(string(output))
	return programs.files[tool], nil
}
