package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// bag writes a BagIt 1.0 bag (RFC 8493): the payload under data/, its manifest,
// and tag files that describe it. Paths are made of what keys are made of, so
// none needs the escapes of section 2.1.3.
type bag struct {
	to            sink
	payload, tags []bagFile
	bytes         int64 // of the payload
	err           error // the first one; nothing is written after it
}

// bagFile is a line of a manifest.
type bagFile struct{ path, sha256 string }

// sink takes the files of a bag, each whole, under slash-separated paths.
type sink interface {
	put(path string, body io.Reader) error
	// commit makes the bag appear under its name, whole; abort leaves nothing.
	commit() error
	abort()
}

// payloadPath is where an object with this key, relative to the archive's
// prefix, is in a bag.
func payloadPath(relative string) string { return "data/" + relative }

// addPayload adds a file under data/ and returns its SHA-256 and length.
func (b *bag) addPayload(path string, body io.Reader) (sum string, length int64) {
	sum, length = b.add(path, body)
	b.payload = append(b.payload, bagFile{path, sum})
	b.bytes += length
	return sum, length
}

// addTag adds a file that describes the payload.
func (b *bag) addTag(path, text string) {
	sum, _ := b.add(path, strings.NewReader(text))
	b.tags = append(b.tags, bagFile{path, sum})
}

func (b *bag) add(path string, body io.Reader) (sum string, length int64) {
	hash := sha256.New()
	counted := &counter{}
	if b.err == nil {
		b.err = b.to.put(path, io.TeeReader(body, io.MultiWriter(hash, counted)))
	}
	return hex.EncodeToString(hash.Sum(nil)), counted.n
}

// bagInfo is what bag-info.txt says beside sizes.
type bagInfo struct {
	at          time.Time
	subject     string
	exportID    string
	agent       string
	description string
}

// finish adds what is only known of the whole payload: the tag files of RFC 8493, the
// manifest of the tags last.
func (b *bag) finish(info bagInfo) error {
	b.addTag("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
	b.addTag("bag-info.txt", fmt.Sprintf(
		"Bag-Software-Agent: %s\nBagging-Date: %s\nExternal-Description: %s\nExternal-Identifier: %s\nInternal-Sender-Identifier: %s\nPayload-Oxum: %d.%d\n",
		info.agent, info.at.Format(time.DateOnly), info.description, info.subject, info.exportID, b.bytes, len(b.payload)))
	b.addTag("manifest-sha256.txt", manifestText(b.payload))
	b.add("tagmanifest-sha256.txt", strings.NewReader(manifestText(b.tags)))
	return b.err
}

// manifestText lists files in the form that "sha256sum -c" reads too.
func manifestText(files []bagFile) string {
	var text bytes.Buffer
	for _, file := range files {
		fmt.Fprintf(&text, "%s  %s\n", file.sha256, file.path)
	}
	return text.String()
}

// counter counts the bytes written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
