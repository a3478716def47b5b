package verify_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
)

// serveImages has the vendor answer with these bytes for the images whose file
// names have the label in them.
func serveImages(a *audittest.Archive, byLabel map[string]string) {
	a.T.Helper()
	a.VendorURL = archivetest.Gateway(a.T, a.VendorURL, func(w http.ResponseWriter, r *http.Request) bool {
		for label, body := range byLabel {
			if strings.Contains(r.URL.Query().Get("FileName"), label) {
				_, _ = fmt.Fprintf(w, `{"data":{"image":"%s"},"error_code":null,"error_message":null}`, base64.StdEncoding.EncodeToString([]byte(body)))
				return true
			}
		}
		return false
	})
}

// Images of types that only their header tells are whole evidence, also when they
// claim more pixels than a column of the ledger holds, and also while only the
// bucket knows of them.
func TestImageTypes(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	rest := strings.Repeat("\x00", 500)
	serveImages(a, map[string]string{
		"_id_front_":         "\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00mif1" + rest,
		"_id_back_":          "\x00\x00\x00\x14ftypavif\x00\x00\x00\x00mif1" + rest,
		"_liveness_2":        "MM\x00*\x00\x00\x00\x08\x00\x05" + tiffLong(256, 3_000_000_000) + tiffLong(257, 1000) + tiffLong(258, 8) + tiffLong(259, 1) + tiffLong(262, 1),
		"_liveness_face_01_": "BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x80\x01\x00\x18\x00" + rest,
		"_liveness_face_02_": "GIF89a\x2c\x01\x63\x00\x00\x00\x00" + rest,
		"_liveness_face_03_": "scanned\r\n%PDF-1.7\n" + rest,
	})
	a.RunUnsealed("first")
	got := archivetest.Query[string](a.Tenant, `
		SELECT concat_ws(' ', kind, media_type, split_part(key, '.', 3), width, height, flags) FROM archive.images GROUP BY 1 HAVING count(*) = 2 ORDER BY 1`)
	want := []string{
		"face_1 image/bmp bmp 0 0 {}",
		"face_2 image/gif gif 300 99 {tiny}",
		"face_3 application/pdf pdf 0 0 {}",
		"id_back image/avif avif 0 0 {}",
		"id_front image/heif heif 0 0 {}",
		"liveness image/tiff tiff 0 0 {}",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("archived as\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyDeep} {
		report := check(a, mode)
		clean(t, report, verify.NoLog)
		if report.Counts.Decoded != 0 {
			t.Errorf("%s: the pixels of %d images are said to be decoded, of types that are not", mode, report.Counts.Decoded)
		}
	}

	forgetRunOf(a, archivetest.SubjectOf("u-000001"))
	clean(t, check(a, store.VerifyDefault), verify.NoLog, verify.Leftover)
}

// tiffLong is an entry of a TIFF's directory with one value of 32 bits.
func tiffLong(tag uint16, value uint32) string {
	entry := binary.BigEndian.AppendUint16(nil, tag)
	entry = append(entry, 0, 4, 0, 0, 0, 1)
	return string(binary.BigEndian.AppendUint32(entry, value))
}
