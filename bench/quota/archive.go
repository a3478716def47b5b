package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/vlens/vlenstest"
)

// archive lets the processes take part in one run for the given time.
func (s *services) archive(ctx context.Context, program string, length time.Duration) error {
	config := filepath.Join(s.dir, "config.yaml")
	if err := os.WriteFile(config, []byte(s.config()), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if err := s.call(ctx, program, "migrate.log", "--config", config, "migrate", "up"); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for n := range processes {
		name := fmt.Sprintf("worker-%d", n+1)
		group.Go(func() error {
			return s.call(groupCtx, program, name+".log", "--config", config, "--log-format", "json",
				"run", "--run-id", "bench", "--worker", name, "--max-duration", (length + 5*time.Second).String())
		})
	}
	return group.Wait()
}

// call runs the program to its end. Its output goes to a file, of which the end
// is part of the error.
func (s *services) call(ctx context.Context, program, logName string, args ...string) error {
	log, err := os.Create(filepath.Join(s.dir, logName))
	if err != nil {
		return fmt.Errorf("log of the program: %w", err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(),
		"AWS_ACCESS_KEY_ID="+s.s3.AccessKey(), "AWS_SECRET_ACCESS_KEY="+s.s3.SecretKey(), "AWS_SESSION_TOKEN=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	if err := cmd.Run(); err != nil {
		said, readErr := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("%s: %w\n%s", logName, err, said[max(0, len(said)-2_000):]), readErr)
	}
	return nil
}

// config leaves everything that is not about this bench at its default, the
// margin of the quota included.
func (s *services) config() string {
	return fmt.Sprintf(`source:
  database_url: %q
  users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users
ledger:
  database_url: %q
vlens:
  base_url: %s
  tenancy_name: %s
  api_key: %s
  username: %s
  password: %s
  quota: {per_second: %d, per_minute: %d}
archive:
  bucket: %s
  region: %s
  endpoint: %s
  force_path_style: true
  subject_key: YmVuY2ggc3ViamVjdCBrZXksIHByb3RlY3RzIG5vdGhpbmc=
  encryption: {mode: none}
`,
		s.postgres.URL("company"), s.postgres.URL("ledger"),
		s.base, vlenstest.DefaultTenancy, vlenstest.DefaultAPIKey, vlenstest.DefaultUsername, vlenstest.DefaultPassword,
		perSecond, perMinute, bucketName, s3server.Region, s.s3.Endpoint())
}
