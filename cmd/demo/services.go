package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
)

// The names of what the demo makes for itself.
const (
	companyDatabase = "company"
	ledgerDatabase  = "ledger"
	bucketName      = "demo-kyc-archive"
	accessKey       = "demo-access-key"
	secretKey       = "demo-secret-key-not-secret"
)

// services are the servers of one demo. Its owner stops them.
type services struct {
	postgres *testservices.Postgres
	s3       *s3server.Server
	s3Dir    string // temporary
	tenant   *tenant
}

// startServices starts all servers. Also after an error, stop ends what was
// started.
func startServices(ctx context.Context, people int) (*services, error) {
	s := &services{}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.startPostgres(groupCtx) })
	group.Go(func() error { return s.startS3(groupCtx) })
	group.Go(func() (err error) {
		s.tenant, err = startTenant(ctx, people)
		return err
	})
	return s, group.Wait()
}

func (s *services) startPostgres(ctx context.Context) (err error) {
	if s.postgres, err = testservices.StartPostgres(ctx, testservices.PostgresOptions{}); err != nil {
		return err
	}
	return errors.Join(
		s.postgres.CreateDatabase(ctx, companyDatabase, ""),
		s.postgres.CreateDatabase(ctx, ledgerDatabase, ""))
}

// startS3 starts the server with a bucket that keeps versions and enforces
// object locks.
func (s *services) startS3(ctx context.Context) (err error) {
	if s.s3Dir, err = os.MkdirTemp("", "vlens-archiver-demo-"); err != nil {
		return fmt.Errorf("make a folder for the S3 server: %w", err)
	}
	s.s3, err = s3server.Start(ctx, s3server.Options{Dir: s.s3Dir, AccessKey: accessKey, SecretKey: secretKey})
	if err != nil {
		return err
	}
	return s.s3.CreateBucket(ctx, bucketName, s3server.Locked)
}

// stop ends the servers and removes what they kept.
func (s *services) stop() error {
	var failures []error
	if s.tenant != nil {
		failures = append(failures, s.tenant.stop())
	}
	if s.s3 != nil {
		failures = append(failures, s.s3.Stop())
	}
	if s.postgres != nil {
		failures = append(failures, s.postgres.Stop())
	}
	if s.s3Dir != "" {
		failures = append(failures, os.RemoveAll(s.s3Dir))
	}
	return errors.Join(failures...)
}

// useDemoAccount makes the default chain of the AWS SDK end at the demo's own
// account, whatever the person who runs the demo has set up.
func useDemoAccount() error {
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           accessKey,
		"AWS_SECRET_ACCESS_KEY":       secretKey,
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
