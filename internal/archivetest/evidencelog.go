package archivetest

import (
	"context"
	"encoding/hex"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"
)

// Tessera logs what it does on stderr, also when all is well.
func init() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
}

// CheckLog checks the evidence log in the bucket with code that is not ours: its
// signature, every tile, entry bundle and hash, and that it extends every
// checkpoint that was ever published. Then every record, run and act of a person must
// be in it once, nothing else, and a checkpoint that covers it beside every closed run.
func (tn *Tenant) CheckLog() {
	t := tn.T
	t.Helper()
	objects := make(map[string][]byte)
	for key, object := range tn.ObjectsUnder(Prefix + "/log/") {
		objects[strings.TrimPrefix(key, Prefix+"/log/")] = object.Body
	}
	entries := CheckTree(t, objects, tn.checkpoints())

	want := make(map[string]bool)
	runs := make(map[string]string) // checkpoint beside a run, by the hash of its SHA256SUMS
	whole := tn.ObjectsUnder(Prefix + "/")
	for key, object := range whole {
		folder, isRun := strings.CutSuffix(key, "SHA256SUMS")
		isRecord := strings.Contains(key, "/record.")
		isAct := strings.Contains(key, "/accept-") || strings.Contains(key, "/withdraw-")
		if isRun {
			runs[HashOf(object.Body)] = string(whole[folder+"checkpoint"].Body)
		}
		if isRun || isRecord || isAct {
			want[HashOf(object.Body)] = true
		}
	}
	got := make(map[string]bool)
	for index, entry := range entries {
		if got[entry] {
			t.Errorf("entry %d is in the log a second time", index)
		}
		got[entry] = true
		if checkpoint, isRun := runs[entry]; isRun {
			if beside := openCheckpoint(t, []byte(checkpoint)); beside != nil && beside.Size <= uint64(index) {
				t.Errorf("the checkpoint beside the run of entry %d covers %d entries", index, beside.Size)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records, runs and acts in the bucket (-) and entries of the log (+) differ:\n%s", diff)
	}
	ledger := Query[string](tn, `SELECT sha256 FROM archive.log_entries ORDER BY log_index`)
	if diff := cmp.Diff(ledger, entries); diff != "" {
		t.Errorf("ledger (-) and log (+) differ:\n%s", diff)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.log_waiting`); n != 0 {
		t.Errorf("%d entries wait", n)
	}
}

// Judge is what a check needs of a test, be it of package testing or of rapid.
type Judge interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// CheckTree checks a log, given its objects by their paths and all checkpoints
// ever published in their order, and returns its entries in hex.
func CheckTree(t Judge, objects map[string][]byte, published [][]byte) []string {
	t.Helper()
	ctx := t.Context()
	verifier, err := note.NewVerifier(VerifierKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := fsck.New(Origin, verifier, logObjects(objects), leafHashes, fsck.Opts{}).Check(ctx); err != nil {
		t.Errorf("the log is damaged: %v", err)
		return nil
	}
	head := openCheckpoint(t, objects[layout.CheckpointPath])
	if head == nil {
		return nil
	}
	proofs, err := client.NewProofBuilder(ctx, head.Size, logObjects(objects).ReadTile)
	if err != nil {
		t.Fatal(err)
	}
	var before uint64
	for _, body := range published {
		earlier := openCheckpoint(t, body)
		if earlier == nil {
			continue
		}
		if earlier.Size < before {
			t.Errorf("a checkpoint over %d entries was published after one over %d", earlier.Size, before)
		}
		before = earlier.Size
		extends, err := proofs.ConsistencyProof(ctx, earlier.Size, head.Size)
		if err != nil {
			t.Errorf("prove that %d entries extend %d: %v", head.Size, earlier.Size, err)
			continue
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, earlier.Size, head.Size, extends, earlier.Hash, head.Hash); err != nil {
			t.Errorf("the log over %d entries does not extend the one over %d: %v", head.Size, earlier.Size, err)
		}
	}

	var entries []string
	for n := uint64(0); n*layout.EntryBundleWidth < head.Size; n++ {
		bundle, err := client.GetEntryBundle(ctx, logObjects(objects).ReadEntryBundle, n, head.Size)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range bundle.Entries {
			entries = append(entries, hex.EncodeToString(entry))
		}
	}
	return entries
}

func openCheckpoint(t Judge, body []byte) *log.Checkpoint {
	t.Helper()
	verifier, err := note.NewVerifier(VerifierKey)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, _, _, err := log.ParseCheckpoint(body, Origin, verifier)
	if err != nil {
		t.Errorf("checkpoint %q: %v", body, err)
		return nil
	}
	return checkpoint
}

func leafHashes(body []byte) ([][]byte, error) {
	var bundle api.EntryBundle
	if err := bundle.UnmarshalText(body); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// logObjects is a log in memory, by path.
type logObjects map[string][]byte

func (o logObjects) read(path string) ([]byte, error) {
	body, there := o[path]
	if !there {
		return nil, os.ErrNotExist
	}
	return body, nil
}

// ReadCheckpoint implements fsck.Fetcher.
func (o logObjects) ReadCheckpoint(context.Context) ([]byte, error) {
	return o.read(layout.CheckpointPath)
}

// ReadTile implements fsck.Fetcher.
func (o logObjects) ReadTile(_ context.Context, level, index uint64, partial uint8) ([]byte, error) {
	return o.read(layout.TilePath(level, index, partial))
}

// ReadEntryBundle implements fsck.Fetcher.
func (o logObjects) ReadEntryBundle(_ context.Context, index uint64, partial uint8) ([]byte, error) {
	return o.read(layout.EntriesPath(index, partial))
}

// checkpoints are all versions of the log's checkpoint, the oldest first.
func (tn *Tenant) checkpoints() [][]byte {
	tn.T.Helper()
	key := Prefix + "/log/checkpoint"
	var bodies [][]byte
	seen := make(map[string]bool) // the test server repeats an entry at each page border
	pages := s3.NewListObjectVersionsPaginator(tn.S3.Client(), &s3.ListObjectVersionsInput{Bucket: aws.String(BucketName), Prefix: &key})
	for pages.HasMorePages() {
		page, err := pages.NextPage(tn.T.Context())
		if err != nil {
			tn.T.Fatal(err)
		}
		for _, version := range page.Versions {
			if seen[*version.VersionId] || *version.Key != key {
				continue
			}
			seen[*version.VersionId] = true
			version := &s3.GetObjectInput{Bucket: aws.String(BucketName), Key: &key, VersionId: version.VersionId}
			body := tn.readOnce("version "+*version.VersionId, version).Body
			bodies = append([][]byte{body}, bodies...) // a listing has the newest first
		}
	}
	return bodies
}
