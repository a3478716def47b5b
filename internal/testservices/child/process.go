// Package child runs servers as processes that end with this one, however this
// one ends.
package child

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a started server.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts the command in a process group of its own, so that Ctrl-C on a
// terminal reaches only this program, which then stops its servers in order.
// The server gets the signal farewell when this program is gone.
func Start(cmd *exec.Cmd, farewell syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = farewell
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the death signal when the starting thread ends, not the
		// program: the thread is kept until the server is gone.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// Pid is the process id, also after the end.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process is gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop sends the signal and waits; a process that does not obey in time is
// killed, which is an error. Stopping nil, or a process that is gone, is none.
func (p *Process) Stop(signal syscall.Signal, timeout time.Duration) error {
	if p == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(signal) // fails only when the process is gone
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not stop within %s and was killed", p.cmd.Path, timeout)
	}
}

// PortAttempts is how often a start is tried whose free port another program has
// taken first.
const PortAttempts = 5

// FreeAddr is an address of 127.0.0.1 with a free port. Another program may take
// the port before the server binds it; then the start fails and says so.
func FreeAddr(ctx context.Context) (*net.TCPAddr, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr), nil
}
