package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/telemetry/telemetrytest"
	"vlens-archiver/vlens/vlenstest"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4}).migrated()
	s.run("verify").exits(exitDone).prints("no damage") // nothing is archived yet
	s.run("run", "--run-id", "nightly").exits(exitDone)

	report := read[verify.Report](s.run("verify", "--deep", "--decode", "100%", "--json").exits(exitDone))
	if report.Damaged != 0 || report.Counts.Images != 24 || report.Counts.Records != 4 || report.Counts.Decoded != 24 || report.Mode != "deep" || report.AuditKey == "" {
		t.Errorf("%+v", report)
	}
	if report := read[verify.Report](s.run("verify", "--user", "u-000001", "--checksums", "--json").exits(exitDone)); report.Counts.Images != 6 {
		t.Errorf("%+v", report)
	}
	s.run("verify", "--sample", "50%", "--seed", "here").exits(exitDone).prints("seed here")
	s.run("verify", "--run", "nightly").exits(exitDone).prints("4 users, 24 images")
	s.run("verify", "--run", "other").exits(exitInvalid).says("no run with this id")
	s.run("verify", "--user", "nobody").exits(exitInvalid).says("nothing is archived for this user")

	key, body := s.removeAnImage()
	damaged := s.run("verify").exits(exitDamaged).prints("DAMAGED").prints(key).prints("restore it").says("the archive is damaged")
	if strings.Contains(damaged.stdout, "u-00000") {
		t.Errorf("a user id is printed:\n%s", damaged.stdout)
	}
	if report := read[verify.Report](s.run("verify", "--json").exits(exitDamaged)); report.Verdict != verify.Damage || report.Totals[verify.Missing] != 1 || report.Findings[0].Key != key {
		t.Errorf("%+v", report)
	}

	// The same bytes put back are another version, and no damage.
	if _, err := s.bucket.Client().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("archive"), Key: aws.String(key), Body: bytes.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
	if report := read[verify.Report](s.run("verify", "--json").exits(exitDone)); report.Totals[verify.Restored] != 1 {
		t.Errorf("%+v", report)
	}
}

// removeAnImage deletes an image with all its versions and returns its key and
// what it was.
func (s *site) removeAnImage() (key string, body []byte) {
	s.t.Helper()
	client := s.bucket.Client()
	listed, err := client.ListObjectVersions(s.t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String("archive"), Prefix: aws.String("vlens/subjects/")})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, version := range listed.Versions {
		if strings.Contains(*version.Key, "/id_back.") {
			got, err := client.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String("archive"), Key: version.Key})
			if err != nil {
				s.t.Fatal(err)
			}
			defer got.Body.Close()
			if body, err = io.ReadAll(got.Body); err != nil {
				s.t.Fatal(err)
			}
			if _, err := client.DeleteObject(s.t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("archive"), Key: version.Key, VersionId: version.VersionId}); err != nil {
				s.t.Fatal(err)
			}
			return *version.Key, body
		}
	}
	s.t.Fatal("there is no image")
	return "", nil
}

// What a verification finds is pushed by itself, not with the next run.
func TestVerifyTellsTheCollector(t *testing.T) {
	t.Parallel()
	collector := telemetrytest.NewCollector(t)
	s := newSite(t, vlenstest.Options{People: 2}).migrated().pushTo(collector.GRPC)
	s.run("run").exits(exitDone)
	s.removeAnImage()
	s.run("verify").exits(exitDamaged)
	values := collector.Values()
	if values["vlens_archiver.verification.damaged"] != 1 || values["vlens_archiver.verification.timestamp"] == 0 {
		t.Errorf("the collector has %v", values)
	}
}
