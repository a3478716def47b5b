package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// fillFolder copies what the two runs left in bucket and ledger.
func (d *demo) fillFolder(ctx context.Context, done runs) error {
	archive, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer archive.Close(ctx)

	if err := copyBucket(ctx, archive.Bucket, d.layout, d.folder); err != nil {
		return fmt.Errorf("copy the bucket: %w", err)
	}
	run := path.Join(bucketDir, d.layout.Relative(d.runFolder(done.first)))
	if err := unzipManifest(d.folder, path.Join(run, manifest.RunManifest)); err != nil {
		return err
	}
	if err := extractLedger(ctx, archive.Ledger.Pool(), d.folder); err != nil {
		return err
	}
	if err := d.folder.WriteFile(readmeFile, []byte(readmeText(run)), 0o644); err != nil {
		return fmt.Errorf("fill the folder: %w", err)
	}
	return nil
}

// unzipManifest writes the lines of a run's manifest as a plain file.
func unzipManifest(folder *os.Root, zipped string) error {
	file, err := folder.Open(zipped)
	if err != nil {
		return fmt.Errorf("read the manifest: %w", err)
	}
	defer func() { _ = file.Close() }()
	lines, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("read the manifest: %w", err)
	}
	return writeFile(folder, manifestFile, func(out io.Writer) error {
		_, err := io.Copy(out, lines)
		return err
	})
}

// readManifest reads what unzipManifest wrote.
func readManifest(folder *os.Root) (map[store.Subject]manifest.Line, error) {
	file, err := folder.Open(manifestFile)
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	defer func() { _ = file.Close() }()
	lines := map[store.Subject]manifest.Line{}
	decoder := json.NewDecoder(bufio.NewReader(file))
	for decoder.More() {
		var line manifest.Line
		if err := decoder.Decode(&line); err != nil {
			return nil, fmt.Errorf("read the manifest: %w", err)
		}
		lines[line.Subject] = line
	}
	return lines, nil
}
