package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what one client process took, from its start to its end.
type Usage struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"` // user and system time
	PeakBytes  int64   `json:"peak_bytes"`  // largest resident size
}

// peakPoll is how often the peak is read. It only grows, so a reading misses
// nothing but growth after it.
const peakPoll = 10 * time.Millisecond

// errorTail is how much of a failed client's output is shown, in bytes.
const errorTail = 2_000

// Measure runs a client to its end. Its output goes to a file in the site's
// folder, of which the end is part of the error. When ctx ends, the client is
// interrupted.
func (s *Site) Measure(ctx context.Context, name string, environment []string, program string, args ...string) (Usage, error) {
	return s.measure(ctx, name, nil, environment, program, args)
}

// Output is Measure of a client whose standard output is its answer.
func (s *Site) Output(ctx context.Context, name string, environment []string, program string, args ...string) (string, Usage, error) {
	var answer bytes.Buffer
	usage, err := s.measure(ctx, name, &answer, environment, program, args)
	return answer.String(), usage, err
}

// measure sends the client's standard output to the writer, or without one to
// the log.
func (s *Site) measure(ctx context.Context, name string, output io.Writer, environment []string, program string, args []string) (Usage, error) {
	log, err := os.Create(filepath.Join(s.Dir, name+".log"))
	if err != nil {
		return Usage{}, fmt.Errorf("log of %s: %w", name, err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	cmd.Stdout, cmd.Stderr = log, log
	if output != nil {
		cmd.Stdout = output
	}
	cmd.Env = append(append(os.Environ(), s.AWSEnvironment()...), environment...)

	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Usage{}, fmt.Errorf("start %s: %w", name, err)
	}
	var usage Usage
	ended, polled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(polled)
		usage.PeakBytes = watchPeak(cmd.Process.Pid, ended)
	}()
	err = cmd.Wait()
	usage.Seconds = time.Since(began).Seconds()
	close(ended)
	<-polled
	usage.CPUSeconds = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if err != nil {
		said, readErr := os.ReadFile(log.Name())
		return usage, errors.Join(fmt.Errorf("%s: %w\n%s", name, err, said[max(0, len(said)-errorTail):]), readErr)
	}
	return usage, nil
}

// watchPeak reads the peak of a process's resident size until it has ended.
// The ru_maxrss of wait4(2) would not do: Linux starts it from the peak of the
// program that started the process, which here is larger than some clients.
func watchPeak(pid int, ended <-chan struct{}) int64 {
	tick := time.NewTicker(peakPoll)
	defer tick.Stop()
	var peak int64
	for {
		peak = max(peak, residentPeak(pid))
		select {
		case <-tick.C:
		case <-ended:
			return peak
		}
	}
}

// residentPeak is VmHWM of proc(5); 0 when the process is gone.
func residentPeak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// AWSEnvironment gives a client the account of the S3 server and nothing else
// that this machine may have.
func (s *Site) AWSEnvironment() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + s.S3.AccessKey(), "AWS_SECRET_ACCESS_KEY=" + s.S3.SecretKey(), "AWS_SESSION_TOKEN=",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	}
}
