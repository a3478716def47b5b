package export

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/store/manifest"
)

// prove gives each record that the checkpoint covers its proof.
func (e Exporter) prove(ctx context.Context, found *gathered) (audit.LogHead, error) {
	head, err := audit.ReadLogHead(ctx, e.Bucket, e.Layout, e.VerifierKey)
	if err != nil || head.Body == nil {
		return head, err
	}
	tiles := audit.TileHashes(tlog.Tree{N: head.Size, Hash: head.Root}, e.Layout, func(key string) ([]byte, error) {
		tile, _, err := audit.ReadSmall(ctx, e.Bucket, key, "")
		return tile, err
	})
	for n := range found.records {
		record := &found.records[n]
		if record.index < 0 || record.index >= head.Size {
			continue
		}
		proof, err := tlog.ProveRecord(head.Size, record.index, tiles)
		if err != nil {
			return head, audit.Broken(e.Layout.Tiles(), fmt.Errorf("no proof for entry %d (%q): %w", record.index, record.Key, err))
		}
		if err := tlog.CheckRecord(proof, head.Size, head.Root, record.index, manifest.LeafHash(record.SHA256)); err != nil {
			return head, audit.Damaged(record.Key, "entry %d of the log is another one", record.index)
		}
		record.proof = manifest.EncodeProof(record.index, proof, head.Body)
	}
	return head, nil
}
