package site

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"vlens-archiver/internal/testservices/child"
	"vlens-archiver/vlens/vlenstest"
)

// Seed is what the people of every tenant follow from.
const Seed = 7

const (
	tenantStartTimeout = 20 * time.Second
	tenantStopTimeout  = 10 * time.Second
)

// TenantOptions describe a tenant without a quota, whose images are sent from
// memory.
type TenantOptions struct {
	People     int
	ImageBytes int
	Latency    time.Duration // of every answer
}

// Simulated are the options for the simulator.
func (o TenantOptions) Simulated() vlenstest.Options {
	return vlenstest.Options{
		People: o.People, Seed: Seed, ImageBytes: o.ImageBytes,
		Scenario: vlenstest.Scenario{Quota: vlenstest.QuotaRules{Preset: "none"}, Latency: o.Latency},
	}
}

// Tenant is a simulated tenant in a process of its own.
type Tenant struct {
	BaseURL string
	process *child.Process
}

// StartTenant starts a tenant, which ends with the site at the latest.
func (s *Site) StartTenant(ctx context.Context, options TenantOptions) (*Tenant, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	encoded, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("encode options of the tenant: %w", err)
	}
	address, addressOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the tenant: %w", err)
	}
	defer func() { _ = address.Close() }()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program) // Stop ends it
	cmd.Env = append(os.Environ(), tenantVariable+"="+string(encoded))
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{addressOut}
	process, err := child.Start(cmd, syscall.SIGKILL)
	_ = addressOut.Close() // the tenant has its own; its end is then the end of the pipe
	if err != nil {
		return nil, err
	}
	t := &Tenant{process: process}
	s.tenants = append(s.tenants, t)

	_ = address.SetReadDeadline(time.Now().Add(tenantStartTimeout))
	line, err := bufio.NewReader(address).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the tenant does not listen: %w", err)
	}
	t.BaseURL = "http://" + strings.TrimSpace(line)
	return t, nil
}

// Stop ends the tenant.
func (t *Tenant) Stop() error { return t.process.Stop(syscall.SIGKILL, tenantStopTimeout) }

// Requests is how many requests the tenant has answered.
func (t *Tenant) Requests(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.BaseURL+"/_sim/counters", nil)
	if err != nil {
		return 0, fmt.Errorf("ask the tenant for its counters: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask the tenant for its counters: %w", err)
	}
	defer resp.Body.Close()
	var counters struct {
		Requests int `json:"requests"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&counters); err != nil {
		return 0, fmt.Errorf("read the tenant's counters: %w", err)
	}
	return counters.Requests, nil
}

const (
	// tenantVariable turns a start of this program into a tenant.
	tenantVariable = "VLENS_ARCHIVER_BENCH_TENANT"
	// addressDescriptor is the pipe to which it writes its address: the first of
	// exec.Cmd.ExtraFiles.
	addressDescriptor = 3
)

// init is where the tenant branches off, so that every program that can start
// one can also be one.
func init() {
	encoded := os.Getenv(tenantVariable)
	if encoded == "" {
		return
	}
	fmt.Fprintln(os.Stderr, "tenant:", serveTenant(encoded))
	os.Exit(1) // it serves until it is killed; any end of its own is a failure
}

func serveTenant(encoded string) error {
	var options TenantOptions
	if err := json.Unmarshal([]byte(encoded), &options); err != nil {
		return fmt.Errorf("read options: %w", err)
	}
	server, err := vlenstest.New(options.Simulated())
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	pipe := os.NewFile(addressDescriptor, "address")
	_, err = fmt.Fprintln(pipe, listener.Addr())
	if err := errors.Join(err, pipe.Close()); err != nil {
		return fmt.Errorf("tell the address: %w", err)
	}
	return server.Serve(context.Background(), listener)
}
