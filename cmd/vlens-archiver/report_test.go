package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vlens-archiver/audit/report"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

func TestReport(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 6, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}},
	}}}).migrated()
	s.env["PER_MINUTE"] = "600"
	s.run("report").exits(exitDone).prints("The ledger knows no users yet.")
	run := read[statedRun](s.run("run", "--run-id", "nightly-1", "--json").exits(exitUsersFailed))

	// The process that closes a run leaves the report beside the run's files.
	closed := s.object("nightly-1/report.html")
	if !strings.Contains(closed, "is closed: ") || !strings.Contains(closed, tool().Version) {
		t.Errorf("report beside the run's files:\n%.2000s", closed)
	}
	if strings.Contains(s.object("nightly-1/SHA256SUMS"), "report.html") {
		t.Error("SHA256SUMS lists the report, which is no evidence")
	}

	file := filepath.Join(t.TempDir(), "report.html")
	stated := read[report.Page](s.run("report", "--out", file, "--json").exits(exitDone))
	if stated.Users.Total != 6 || stated.Work.Outcomes[store.OutcomePartial] != run.Outcomes[store.OutcomePartial] ||
		stated.Work.Images != run.Images || stated.Stored.Bytes != run.Bytes || stated.PerMinute != 600 || stated.Run != nil || len(stated.Points) != 30 {
		t.Errorf("report: %+v", stated)
	}
	// The same file again: it is replaced, and nothing else is left beside it.
	s.run("report", "--run", "nightly-1", "--out", file).exits(exitDone).prints("report written to")
	page, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(page), "nightly-1") || !strings.Contains(string(page), "what Vlens sent is not an image") {
		t.Errorf("page about a run: %v\n%.2000s", err, page)
	}
	if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 1 {
		t.Errorf("files left: %v, %v", files, err)
	}
	s.run("report").exits(exitDone).prints("<!DOCTYPE html>").prints("Not complete: ")

	s.run("report", "--run", "nightly-9").exits(exitInvalid).says(`knows no such run`)
	s.run("report", "--run", "Nightly").exits(exitInvalid).says("lower-case")
	s.run("report", "--run", "nightly-1", "--since", "2026-01-01").exits(exitInvalid).says("--run does not go together")
	s.run("report", "--since", "2026-02-01", "--until", "2026-01-01").exits(exitInvalid).says("--since must be before --until")
	s.run("report", "--since", "yesterday").exits(exitInvalid).says("expected a time such as")
	s.run("report", "--since", "2999-01-01").exits(exitInvalid).says("in the future")
	s.run("report", "--out", filepath.Join(file, "below")).exits(exitFailed).says("write report")
}

// object is the body of the one object whose key ends so.
func (s *site) object(suffix string) string {
	s.t.Helper()
	client := s.bucket.Client()
	listed, err := client.ListObjectsV2(s.t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("archive")})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, object := range listed.Contents {
		if !strings.HasSuffix(*object.Key, suffix) {
			continue
		}
		got, err := client.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String("archive"), Key: object.Key})
		if err != nil {
			s.t.Fatal(err)
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		return string(body)
	}
	s.t.Fatalf("no object ends with %q", suffix)
	return ""
}
