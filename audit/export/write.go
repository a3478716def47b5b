package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// write fills the bag: the evidence first, in the order of its paths, then what
// explains it.
func (e Exporter) write(ctx context.Context, x Index, found *gathered, head audit.LogHead, to sink) error {
	b := &bag{to: to}
	index, err := x.Encode()
	if err != nil {
		return err
	}
	b.addPayload(payloadPath("export.json"), bytes.NewReader(index))
	if head.Body != nil {
		b.addPayload(payloadPath("log/checkpoint"), bytes.NewReader(head.Body))
	}
	for n, image := range found.images {
		if err := e.writeImage(ctx, b, x.Images[n].Path, image); err != nil {
			return err
		}
	}
	for n, record := range found.records {
		b.addPayload(x.Records[n].Path, bytes.NewReader(record.Body))
		if record.proof != nil {
			b.addPayload(*x.Records[n].Proof, bytes.NewReader(record.proof))
		}
	}
	explanation, err := explain(x)
	if err != nil {
		return err
	}
	b.addTag("VERIFY.txt", explanation)
	b.addTag("verify.py", verifyScript)
	return b.finish(bagInfo{
		at: x.ExportedAt, subject: string(x.Subject), exportID: x.ID,
		agent:       "vlens-archiver " + e.Tool.Version,
		description: "Identity evidence of one subject, with proofs; VERIFY.txt says how to check it",
	})
}

// writeImage streams an image, as it was recorded or put back, into the bag and
// compares it with its record on the way.
func (e Exporter) writeImage(ctx context.Context, b *bag, path string, image store.Image) error {
	if b.err != nil {
		return b.err
	}
	body, _, err := putBack{e.Bucket}.Get(ctx, image.Key, image.VersionID)
	if errors.Is(err, store.ErrNotFound) {
		return audit.Damaged(image.Key, "it is missing")
	}
	if err != nil {
		return err
	}
	defer body.Close()
	// A byte more than recorded is enough to know that it is another object.
	sum, length := b.addPayload(path, io.LimitReader(body, image.Bytes+1))
	switch {
	case b.err != nil:
		return fmt.Errorf("%q: %w", image.Key, b.err)
	case length != image.Bytes:
		return audit.Damaged(image.Key, "its length is not the %d bytes recorded", image.Bytes)
	case sum != image.SHA256:
		return audit.Damaged(image.Key, "its SHA-256 is %s, its record has %s", sum, image.SHA256)
	}
	return nil
}
