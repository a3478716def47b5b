package verify_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/mod/sumdb/note"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// check verifies an archive with the mode; changes edit the verifier.
func check(a *audittest.Archive, mode store.VerifyMode, changes ...func(*verify.Verifier)) verify.Report {
	a.T.Helper()
	key, err := note.NewVerifier(archivetest.VerifierKey)
	if err != nil {
		a.T.Fatal(err)
	}
	v := &verify.Verifier{
		LogKey: key, SubjectOf: a.Key().Subject,
		Options: verify.Options{Mode: mode, Sample: 100, Decode: 100, Seed: "seed", Parallel: 8},
		Ledger:  a.Ledger, Bucket: a.Bucket, Layout: a.Layout,
		Identity: a.Identity(), Tool: manifest.Tool{Version: "test"}, Actor: "auditor",
	}
	for _, change := range changes {
		change(v)
	}
	report, err := v.Verify(a.T.Context())
	if err != nil {
		a.T.Fatal(err)
	}
	return report
}

// has reports whether the report has the finding.
func has(r verify.Report, sort verify.Sort, key string) bool {
	return slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Sort == sort && f.Key == key })
}

// clean fails the test when there is any damage, or a warning that is not
// expected.
func clean(t *testing.T, r verify.Report, warnings ...verify.Sort) {
	t.Helper()
	for _, finding := range r.Findings {
		if !slices.Contains(warnings, finding.Sort) {
			t.Errorf("unexpected finding: %+v", finding)
		}
	}
}

// shorten makes the lock of an object end in a day.
func shorten(a *audittest.Archive, key string) {
	a.T.Helper()
	_, err := a.S3.Client().PutObjectRetention(a.T.Context(), &s3.PutObjectRetentionInput{
		Bucket: aws.String(archivetest.BucketName), Key: &key, BypassGovernanceRetention: aws.Bool(true),
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: aws.Time(time.Now().Add(24 * time.Hour))},
	})
	if err != nil {
		a.T.Fatal(err)
	}
}
