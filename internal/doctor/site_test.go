package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
)

// site is a company whose services are as they should be, for a test to spoil.
type site struct {
	t      *testing.T
	cfg    *config.Config
	vlens  *vlenstest.Server
	source string // URL of its owner
	ledger string // URL of its owner
	number int64
	env    map[string]string
	now    func() time.Time
	// loads fails the loading of the configuration.
	loads error
}

const siteConfig = `
source:
  database_url: ${SOURCE}
  users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users
ledger: {database_url: "${LEDGER}"}
vlens:
  base_url: ${VLENS}
  api_key: ` + vlenstest.DefaultAPIKey + `
  tenancy_name: ` + vlenstest.DefaultTenancy + `
  username: ` + vlenstest.DefaultUsername + `
  password: ` + vlenstest.DefaultPassword + `
archive:
  bucket: ${BUCKET}
  region: ` + s3server.Region + `
  endpoint: ${S3}
  force_path_style: true
  encryption: {mode: none}
  object_lock: {mode: governance, days: 1}
  subject_key: c3ViamVjdC1rZXktc3ViamVjdC1rZXktc3ViamVjdC1rZXkt
evidence:
  signing_key: ${SIGNING_KEY}
`

var sites atomic.Int64

// people is how many a site has.
const people = 12

// newSite makes a site with twelve users, a ledger with tables, and a bucket with
// locks and a role that may write to it and not delete. The databases are
// everybody's; a test that changes them takes its own first.
func newSite(t *testing.T) *site {
	t.Helper()
	services(t)
	tenant, baseURL := vlenstest.Run(t, vlenstest.Options{People: people, ImageBytes: 8 << 10})
	s := &site{t: t, vlens: tenant, source: shared.postgres.URL("source"), ledger: shared.postgres.URL("ledger"), number: sites.Add(1)}
	key, err := manifest.GenerateSigningKey("vlens-archive/" + vlenstest.DefaultTenancy)
	if err != nil {
		t.Fatal(err)
	}
	s.env = map[string]string{
		"SOURCE": as(s.source, reader), "LEDGER": s.ledger, "VLENS": baseURL,
		"BUCKET": fmt.Sprintf("archive-%d", s.number), "SIGNING_KEY": key.Reveal(),
	}
	s.makeBucket(s.env["BUCKET"], s3server.Locked)
	s.env["S3"] = liar{}.start(s)
	s.cfg, err = config.Parse("site.yaml", []byte(siteConfig), func(name string) (string, bool) {
		value, found := s.env[name]
		return value, found
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ownDatabases gives the site databases that no other test sees.
func (s *site) ownDatabases() *site {
	s.t.Helper()
	for _, name := range []string{"source", "ledger"} {
		own := fmt.Sprintf("%s_%d", name, s.number)
		if err := shared.postgres.CreateDatabase(s.t.Context(), own, name+"_template"); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() {
			if err := shared.postgres.DropDatabase(context.Background(), own); err != nil {
				s.t.Error(err)
			}
		})
		if name == "source" {
			s.source = shared.postgres.URL(own)
			s.cfg.Source.DatabaseURL = store.Sensitive(as(s.source, reader))
		} else {
			s.ledger = shared.postgres.URL(own)
			s.cfg.Ledger.DatabaseURL = store.Sensitive(s.ledger)
		}
	}
	return s
}

// newRole makes a role without rights, for this test.
func (s *site) newRole(owner string) string {
	s.t.Helper()
	role := fmt.Sprintf("role_%d", s.number)
	s.in(owner, `CREATE ROLE `+role+` LOGIN`)
	s.t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), owner)
		if err != nil {
			s.t.Error(err)
			return
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.Exec(context.Background(), `DROP OWNED BY `+role+`; DROP ROLE `+role); err != nil {
			s.t.Error(err)
		}
	})
	return role
}

// as is the URL with another role.
func as(databaseURL, role string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		panic(err)
	}
	query := u.Query()
	query.Set("user", role)
	u.RawQuery = query.Encode()
	return u.String()
}

func (s *site) connect(databaseURL string) *pgx.Conn {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), databaseURL)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// in runs statements as the owner of a database.
func (s *site) in(databaseURL, statements string) {
	s.t.Helper()
	if _, err := s.connect(databaseURL).Exec(s.t.Context(), statements); err != nil {
		s.t.Fatal(err)
	}
}

// writerMay are the actions of the role in deploy/iam/writer-policy.json.
var writerMay = []string{
	"s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:GetEncryptionConfiguration",
	"s3:PutObject", "s3:PutObjectRetention", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention",
}

func (s *site) makeBucket(name string, kind s3server.BucketKind) {
	s.t.Helper()
	if err := s3(s.t).CreateBucket(s.t.Context(), name, kind); err != nil {
		s.t.Fatal(err)
	}
	s.allow(name, writerMay)
}

// allow gives the writer these rights in a bucket and no others.
func (s *site) allow(bucket string, actions []string) {
	s.t.Helper()
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": []string{writerKey}}, "Action": actions,
		"Resource": []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/*"},
	}}})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s3(s.t).Client().PutBucketPolicy(s.t.Context(), &awss3.PutBucketPolicyInput{Bucket: &bucket, Policy: aws.String(string(policy))})
	if err != nil {
		s.t.Fatal(err)
	}
}

// without are the rights of the writer but for some.
func without(actions ...string) []string {
	return slices.DeleteFunc(slices.Clone(writerMay), func(action string) bool { return slices.Contains(actions, action) })
}

// putArchive stands in for the first run of some archive.
func (s *site) putArchive(content []byte) {
	s.t.Helper()
	_, err := s3(s.t).Client().PutObject(s.t.Context(), &awss3.PutObjectInput{
		Bucket: &s.cfg.Archive.Bucket, Key: aws.String(s.cfg.Archive.Prefix + "/archive.json"), Body: bytes.NewReader(content),
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) identity() store.ArchiveIdentity {
	s.t.Helper()
	key, err := store.ParseSubjectKey(s.cfg.Archive.SubjectKey)
	if err != nil {
		s.t.Fatal(err)
	}
	return app.Identity(s.cfg, key)
}

// examined is a report with the words for what a test expects of it.
type examined struct {
	s      *site
	report Report
}

func (s *site) examine() examined {
	s.t.Helper()
	report := Examine(s.t.Context(), Setup{
		LoadConfig: func() (*config.Config, error) { return s.cfg, s.loads },
		Options:    app.Options{WorkerName: "doctor"},
		Now:        s.now,
	}, func(Result) {})
	if len(report.Checks) != len(checks()) {
		s.t.Fatalf("%d results of %d checks", len(report.Checks), len(checks()))
	}
	e := examined{s, report}
	for n, c := range checks() {
		result := report.Checks[n]
		given.Store(result.Remedy, true)
		switch result.Status {
		case Warning, Failed:
			faulty.Store(result.Name, true)
			if !slices.Contains(c.remedies, result.Remedy) {
				s.t.Errorf("%s gives a remedy that it does not state: %q", c.name, result.Remedy)
			}
		case OK, Skipped:
			if result.Remedy != "" || result.Err != nil {
				s.t.Errorf("%s: %+v", c.name, result)
			}
		}
		if (result.Status == Failed) != (result.Err != nil) || result.Found == "" || result.Tried != c.tried {
			s.t.Errorf("%s: %+v", c.name, result)
		}
	}
	e.tellsNothing()
	return e
}

// tellsNothing fails when a result has a secret or what Vlens knows of a person.
func (e examined) tellsNothing() {
	e.s.t.Helper()
	text, err := json.Marshal(e.report)
	if err != nil {
		e.s.t.Fatal(err)
	}
	person, _ := e.s.vlens.Person("u-000001")
	for _, secret := range []string{
		vlenstest.DefaultAPIKey, vlenstest.DefaultPassword, e.s.cfg.Archive.SubjectKey.Reveal(), e.s.env["SIGNING_KEY"],
		person.ID, person.Email, strings.TrimPrefix(person.Phone, "+"), person.Name, person.TransactionID, writerSecret,
	} {
		if strings.Contains(string(text), secret) {
			e.s.t.Errorf("the report has %q: %s", secret, text)
		}
	}
}

func (e examined) result(name string) Result {
	e.s.t.Helper()
	for _, result := range e.report.Checks {
		if result.Name == name {
			return result
		}
	}
	e.s.t.Fatalf("there is no check %s", name)
	return Result{}
}

// finds fails the test unless the check ended so, says a text and gives the remedy.
func (e examined) finds(name string, status Status, text, remedy string) examined {
	e.s.t.Helper()
	result := e.result(name)
	if result.Status != status || !strings.Contains(result.Found, text) || result.Remedy != remedy {
		e.s.t.Errorf("%s is %s: %q, remedy %q;\nwant %s: %q, remedy %q", name, result.Status, result.Found, result.Remedy, status, text, remedy)
	}
	return e
}

// because fails the test unless the error of the check is of this kind.
func (e examined) because(name string, kind error) examined {
	e.s.t.Helper()
	if err := e.result(name).Err; !errors.Is(err, kind) || !errors.Is(e.report.Err(), kind) {
		e.s.t.Errorf("%s failed with %v, want %v", name, err, kind)
	}
	return e
}

// otherwiseWell fails the test when another check finds a fault.
func (e examined) otherwiseWell(but ...string) examined {
	e.s.t.Helper()
	// A simulator on this machine is not encrypted, and versitygw knows no default
	// encryption.
	but = append(but, "vlens.url", "bucket.encryption")
	for _, result := range e.report.Checks {
		if !slices.Contains(but, result.Name) && (result.Status == Warning || result.Status == Failed) {
			e.s.t.Errorf("%s is %s: %s", result.Name, result.Status, result.Found)
		}
	}
	return e
}

// versions are the keys of all versions and delete markers in the bucket.
func (s *site) versions() []string {
	s.t.Helper()
	var keys []string
	pages := awss3.NewListObjectVersionsPaginator(s3(s.t).Client(), &awss3.ListObjectVersionsInput{Bucket: &s.cfg.Archive.Bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, version := range page.Versions {
			keys = append(keys, *version.Key)
		}
		for _, marker := range page.DeleteMarkers {
			keys = append(keys, *marker.Key+" (delete marker)")
		}
	}
	return keys
}
