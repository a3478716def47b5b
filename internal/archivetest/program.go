package archivetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"vlens-archiver/internal/testservices/child"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// Program is the program as a process of its own. It ends with the test.
type Program struct {
	tn      *Tenant
	cmd     *exec.Cmd
	process *child.Process
	Stdout  *bytes.Buffer // to be read once Done is closed
	Stderr  *Log
}

const programConfig = `
source:
  database_url: ${SOURCE_DATABASE_URL}
  users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users
ledger:
  database_url: ${LEDGER_DATABASE_URL}
vlens:
  base_url: ${VLENS_BASE_URL}
  api_key: ` + vlenstest.DefaultAPIKey + `
  tenancy_name: ` + vlenstest.DefaultTenancy + `
  username: ` + vlenstest.DefaultUsername + `
  password: ` + vlenstest.DefaultPassword + `
  quota: {per_second: 0, per_minute: 0}
  codes: {not_found: [%d], gone: [%d], throttled: [%d], permanent: []}
archive:
  bucket: ` + BucketName + `
  prefix: ` + Prefix + `
  region: ` + s3server.Region + `
  endpoint: ${S3_ENDPOINT}
  force_path_style: true
  encryption: {mode: none}
  subject_key: ` + SubjectKey + `
evidence: {origin: ` + Origin + `, signing_key: "${EVIDENCE_SIGNING_KEY}"}
worker: {concurrency: %d}
`

// Start starts the program with a configuration for the tenant and that many
// images in flight.
func (tn *Tenant) Start(concurrency int, args ...string) *Program {
	tn.T.Helper()
	file, err := child.Program(tn.T.Context(), "vlens-archiver")
	if err != nil {
		tn.T.Fatal(err)
	}
	config := filepath.Join(tn.T.TempDir(), "config.yaml")
	text := fmt.Sprintf(programConfig, vlenstest.CodeUserNotFound, vlenstest.CodeImageNotFound, vlenstest.CodeThrottled, concurrency)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		tn.T.Fatal(err)
	}
	p := &Program{tn: tn, Stdout: &bytes.Buffer{}, Stderr: &Log{}}
	p.cmd = exec.CommandContext(context.WithoutCancel(tn.T.Context()), file, append([]string{"--config", config, "--log-format", "json"}, args...)...)
	p.cmd.Env = append(os.Environ(),
		"SOURCE_DATABASE_URL="+tn.SourceURL, "LEDGER_DATABASE_URL="+tn.LedgerURL,
		"VLENS_BASE_URL="+tn.VendorURL, "EVIDENCE_SIGNING_KEY=", "S3_ENDPOINT="+tn.S3URL,
		"AWS_ACCESS_KEY_ID="+tn.S3.AccessKey(), "AWS_SECRET_ACCESS_KEY="+tn.S3.SecretKey(),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull)
	if tn.Seals {
		p.cmd.Env = append(p.cmd.Env, "EVIDENCE_SIGNING_KEY="+SigningKey)
	}
	p.cmd.Stdout, p.cmd.Stderr = p.Stdout, p.Stderr
	if p.process, err = child.Start(p.cmd, syscall.SIGKILL); err != nil {
		tn.T.Fatal(err)
	}
	tn.T.Cleanup(p.Kill)
	return p
}

// Done is closed when the process is gone.
func (p *Program) Done() <-chan struct{} { return p.process.Done() }

// Signal sends a signal; to a process that is gone it does nothing.
func (p *Program) Signal(signal syscall.Signal) { _ = p.cmd.Process.Signal(signal) }

// Kill is kill -9, and waits until the process is gone.
func (p *Program) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.Done()
}

// Wait waits for the end of the process and returns its exit code.
func (p *Program) Wait() int {
	<-p.Done()
	return p.cmd.ProcessState.ExitCode()
}

// TakeOver lets the time pass after which others may take the users of silent
// processes: it makes the last heartbeat of all that have not left that much
// older, which only costs a live one its users.
func (tn *Tenant) TakeOver(processes ...string) {
	tn.T.Helper()
	tn.ExecLedger(`
		UPDATE archive.processes SET heartbeat_at = heartbeat_at - make_interval(secs => $1)
		WHERE ended_at IS NULL AND (coalesce(cardinality($2::text[]), 0) = 0 OR process = ANY ($2))`,
		store.TakeoverAfter.Seconds(), processes)
}
