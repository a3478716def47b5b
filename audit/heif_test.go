package audit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"testing"

	"vlens-archiver/audit"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
)

// box is a box of the ISO base media file format.
func box(kind string, data ...byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(data)+8)), kind...), data...)
}

// serveImage has the vendor answer each image request of the tenant with these
// bytes.
func (a *archived) serveImage(body []byte) {
	a.T.Helper()
	a.VendorURL = archivetest.Gateway(a.T, a.VendorURL, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("FileName") == "" {
			return false
		}
		_, _ = fmt.Fprintf(w, `{"data":{"image":"%s"},"error_code":null,"error_message":null}`, base64.StdEncoding.EncodeToString(body))
		return true
	})
}

// HEIF has brands for any codec beside those for HEVC, with a media type of their
// own. Such an image is whole evidence, also while only the bucket knows of it.
func TestHEIFOfAnyCodec(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.serveImage(bytes.Join([][]byte{
		box("ftyp", []byte("mif1\x00\x00\x00\x00mif1")...), box("meta", 0, 0, 0, 0), box("mdat", make([]byte, 500)...),
	}, nil))
	a.runUnsigned("first")
	if n := a.Count(`SELECT count(*) FROM archive.images WHERE media_type = 'image/heif' AND flags = '{}'`); n != 12 {
		t.Fatalf("%d images are whole HEIF", n)
	}
	for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyDeep} {
		clean(t, a.verify(mode), audit.NoLog)
	}

	a.forgetRunOf(archivetest.SubjectOf("u-000001"))
	clean(t, a.verify(store.VerifyDefault), audit.NoLog, audit.Leftover)
}
