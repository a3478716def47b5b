package s3server

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A server that nobody asks for anything leaves the processors to the tests.
func TestRestingServerTakesNoProcessor(t *testing.T) {
	t.Parallel()
	server := ForTest(t)
	const rest = time.Second
	before := processorTime(t, server.process.Pid())
	time.Sleep(rest)
	if took := processorTime(t, server.process.Pid()) - before; took > rest/4 {
		t.Fatalf("the server took %s of a processor while it rested for %s", took, rest)
	}
}

// processorTime is what a process has taken, user and system, as Linux counts it
// (proc_pid_stat(5): fields 14 and 15, in hundredths of a second).
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, afterName, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(afterName) // the first is field 3
	var took time.Duration
	for _, field := range []string{fields[14-3], fields[15-3]} {
		ticks, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		took += time.Duration(ticks) * 10 * time.Millisecond
	}
	return took
}
