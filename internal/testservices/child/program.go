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

// stopDelay is how long the build may take to clean up when it is interrupted.
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
	build := exec.CommandContext(ctx, "go", "tool", "-n", tool)
	var stderr strings.Builder
	build.Stderr = &stderr
	// Killed, it would leave its temporary folder.
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) }
	build.WaitDelay = stopDelay
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
