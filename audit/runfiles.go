package audit

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"vlens-archiver/store/manifest"
)

// ManifestLines reads manifest.jsonl.gz as a stream. An error, which may be that
// of reading, is the last that it yields.
func ManifestLines(in io.Reader) iter.Seq2[manifest.Line, error] {
	return func(yield func(manifest.Line, error) bool) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			yield(manifest.Line{}, fmt.Errorf("it is not compressed as it should be: %w", err))
			return
		}
		for text, err := range textLines(unzipped) {
			var line manifest.Line
			if err == nil {
				err = json.Unmarshal(text, &line)
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Sum is a line of SHA256SUMS. The path is relative to the archive's prefix.
type Sum struct{ SHA256, Path string }

// SumLines reads SHA256SUMS as ManifestLines reads a manifest.
func SumLines(in io.Reader) iter.Seq2[Sum, error] {
	return func(yield func(Sum, error) bool) {
		for text, err := range textLines(in) {
			sum, path, found := strings.Cut(string(text), "  ")
			if err == nil && (!found || len(sum) != 2*sha256.Size) {
				err = errors.New("it has a line that states no hash")
			}
			if !yield(Sum{sum, path}, err) || err != nil {
				return
			}
		}
	}
}

// longestLine bounds a line of a run's files, in bytes.
const longestLine = 1 << 20

// textLines yields lines that are good until the next one.
func textLines(in io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, longestLine)
		for scanner.Scan() {
			if !yield(scanner.Bytes(), nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(nil, err)
		}
	}
}
