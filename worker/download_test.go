package worker_test

import (
	"bytes"
	"encoding/csv"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vlens-archiver/internal/archivetest"
)

// After a plain download of the prefix sha256sum confirms the run, and every row
// of objects.csv names a version that is there.
func TestRunFilesAfterAPlainDownload(t *testing.T) {
	t.Parallel()
	tn := sealed(t, 4)
	tn.Run("first", nil)
	dir := t.TempDir()
	objects := tn.ObjectsUnder(archivetest.Prefix + "/")
	image := ""
	for key, object := range objects {
		file := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(key, archivetest.Prefix+"/")))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, object.Body, 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(key, ".jpg") {
			image = file
		}
	}
	folder := runFolder(tn, "first")
	check := func() ([]byte, error) {
		command := exec.Command("sha256sum", "--check", "--strict", strings.TrimPrefix(folder, archivetest.Prefix+"/")+"SHA256SUMS")
		command.Dir = dir
		return command.CombinedOutput()
	}
	output, err := check()
	if lines := bytes.Count(output, []byte(": OK\n")); err != nil || lines != 4*7+3 {
		t.Errorf("sha256sum: %v, %d files\n%s", err, lines, output)
	}
	if err := os.WriteFile(image, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := check(); err == nil {
		t.Error("sha256sum does not see a changed image")
	}

	rows, err := csv.NewReader(bytes.NewReader(objects[folder+"objects.csv"].Body)).ReadAll()
	if err != nil || len(rows) != 4*7+2 {
		t.Fatalf("objects.csv has %d rows: %v", len(rows), err)
	}
	for _, row := range rows {
		key, err := url.PathUnescape(row[1])
		if err != nil || row[0] != archivetest.BucketName {
			t.Errorf("%q: %v", row, err)
		}
		if _, err := tn.S3.Client().HeadObject(t.Context(), &s3.HeadObjectInput{
			Bucket: &row[0], Key: &key, VersionId: aws.String(row[2]),
		}); err != nil {
			t.Errorf("%q: %v", row, err)
		}
	}
}
