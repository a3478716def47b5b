package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"vlens-archiver/bench/figures"
	"vlens-archiver/bench/site"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/vlens/vlenstest"
)

// source is the database of the users.
const source = "company"

// field is where the clients of one case take their turns. Each turn has a
// bucket, and for vlens-archiver a ledger, of its own.
type field struct {
	site   *site.Site
	tenant *site.Tenant
	figures.Case
	token    string
	plan     string         // file, for the floor
	expected map[string]int // SHA-256 of the images, in hex, and how often each must be there
	first    string         // SHA-256 of the first image, the one the floor uploads
	images   int
}

func prepare(ctx context.Context, s *site.Site, c figures.Case, users int) (*field, error) {
	options := site.TenantOptions{People: users, ImageBytes: c.ImageBytes, Latency: c.Latency}
	f := &field{site: s, Case: c, expected: map[string]int{}}
	if err := s.FillUsers(ctx, source, users); err != nil {
		return nil, err
	}
	var err error
	if f.tenant, err = s.StartTenant(ctx, options); err != nil {
		return nil, err
	}
	if f.token, err = f.tenant.Login(ctx); err != nil {
		return nil, err
	}
	return f, f.expect(options)
}

// expect writes the plan for the floor and notes which images must be stored.
func (f *field) expect(options site.TenantOptions) error {
	simulated, err := vlenstest.New(options.Simulated())
	if err != nil {
		return err
	}
	var plan bytes.Buffer
	for person := range vlenstest.People(site.Seed, options.People) {
		plan.WriteString("/api/DigitalIdentity/GetUserDigitalIdentityImages?" + url.Values{"emailOrPhoneNumber": {person.Phone}}.Encode() + "\t\n")
		expected, _ := simulated.Expected(person.ID)
		for _, kind := range vlenstest.Kinds {
			name := url.Values{"TransactionId": {person.TransactionID}, "FileName": {person.FileName(kind)}}
			fmt.Fprintf(&plan, "/api/DigitalIdentity/GetStepImage?%s\t%s/%s.jpg\n", name.Encode(), person.ID, kind)
			sum := expected.Images[kind].SHA256
			f.expected[sum]++
			f.images++
			if f.first == "" {
				f.first = sum
			}
		}
	}
	f.plan = filepath.Join(f.site.Dir, "plan")
	if err := os.WriteFile(f.plan, plan.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the plan of the floor: %w", err)
	}
	return nil
}

// run lets a client take its turn and checks what it has stored.
func (f *field) run(ctx context.Context, p programs, t turn) (figures.Comparison, error) {
	bucket := fmt.Sprintf("turn-%d-%d", t.round, time.Now().UnixMilli())
	if err := f.site.S3.CreateBucket(ctx, bucket, s3server.Plain); err != nil {
		return figures.Comparison{}, err
	}
	start, err := f.client(ctx, p, t.client, bucket)
	if err != nil {
		return figures.Comparison{}, err
	}
	setting := f.site.Setting(ctx, p.version, p.build)
	before, err := f.tenant.Requests(ctx)
	if err != nil {
		return figures.Comparison{}, err
	}
	usage, err := f.site.Measure(ctx, t.client, start.environment, start.program, start.args...)
	if err != nil {
		return figures.Comparison{}, err
	}
	after, err := f.tenant.Requests(ctx)
	if err != nil {
		return figures.Comparison{}, err
	}
	expected := f.expected
	if t.client == figures.Floor {
		expected = map[string]int{f.first: f.images}
	}
	if err := errors.Join(f.check(ctx, bucket, expected), f.empty(bucket)); err != nil {
		return figures.Comparison{}, err
	}
	return figures.Comparison{
		Case: f.Case, Round: t.round, Client: t.client, Images: f.images, Requests: after - before,
		Usage: usage, Setting: setting,
	}, nil
}

// start is how a client is started.
type start struct {
	program     string
	args        []string
	environment []string
}

func (f *field) client(ctx context.Context, p programs, client, bucket string) (start, error) {
	inFlight := strconv.Itoa(f.InFlight)
	s := start{environment: []string{
		"VLENS_BASE_URL=" + f.tenant.BaseURL, "VLENS_TOKEN=" + f.token,
		"VLENS_API_KEY=" + vlenstest.DefaultAPIKey, "VLENS_TENANCY=" + vlenstest.DefaultTenancy,
		"SOURCE_DATABASE_URL=" + f.site.Postgres.URL(source) + "&sslmode=disable",
		"BENCH_ENDPOINT=" + f.site.S3.Endpoint(), "BENCH_REGION=" + s3server.Region,
		"BENCH_BUCKET=" + bucket, "BENCH_IN_FLIGHT=" + inFlight,
		// What a client need not do is not held against it.
		"AWS_REQUEST_CHECKSUM_CALCULATION=when_required", "AWS_RESPONSE_CHECKSUM_VALIDATION=when_required",
	}}
	switch client {
	case figures.Floor:
		s.program, s.args = p.floor, []string{
			"-base", f.tenant.BaseURL, "-endpoint", f.site.S3.Endpoint(), "-region", s3server.Region, "-bucket", bucket,
			"-plan", f.plan, "-in-flight", inFlight,
		}
	case figures.Bento:
		s.program, s.args = p.bento, []string{"-c", p.bentoPipeline}
	case figures.Python:
		s.program, s.args = p.python, []string{p.pythonScript}
	default:
		program := p.ours
		if client == figures.Before {
			program = p.before
		}
		config, err := f.site.Configure(ctx, program, site.Archive{
			Name: bucket, Source: source, BaseURL: f.tenant.BaseURL, Bucket: bucket, Concurrency: f.InFlight,
		})
		if err != nil {
			return s, err
		}
		s.program, s.args = program, []string{"--config", config, "--log-format", "json", "run"}
	}
	return s, nil
}
