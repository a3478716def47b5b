package vlens_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color/palette"
	"image/png"
	"testing"

	"vlens-archiver/vlens"
)

func pngPhoto() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, 33, 17), palette.WebSafe)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// segment is a marker segment of a JPEG.
func segment(marker byte, data []byte) []byte {
	return append([]byte{0xff, marker, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data...)
}

func webp(kind string, chunk []byte) []byte {
	b := append([]byte("RIFF\x00\x00\x00\x00WEBP"+kind), binary.LittleEndian.AppendUint32(nil, uint32(len(chunk)))...)
	b = append(b, chunk...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

func isoBox(kind string, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(data)+8)), kind...), data...)
}

func ispe(width, height uint32) []byte {
	return isoBox("ispe", make([]byte, 4), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height))
}

func heic(brands string, parts ...[]byte) []byte {
	return bytes.Join(append([][]byte{isoBox("ftyp", []byte(brands))}, parts...), nil)
}

var (
	heicMeta  = isoBox("meta", make([]byte, 4), isoBox("hdlr", make([]byte, 20)), isoBox("iprp", isoBox("ipco", ispe(512, 512), ispe(4032, 3024), ispe(320, 240))))
	heicWhole = heic("heic\x00\x00\x00\x00mif1heic", heicMeta, isoBox("mdat", make([]byte, 500)))
	thumbnail = jpegPhoto(8, 8)
	pdfWhole  = []byte("%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\r\n")
)

func TestInspect(t *testing.T) {
	t.Parallel()
	withThumbnail := append(append([]byte{0xff, 0xd8}, segment(0xe1, append([]byte("Exif\x00\x00"), thumbnail...))...), photo[2:]...)
	sample, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ")
	if err != nil {
		t.Fatal(err)
	}
	jpg := func(w, h int, complete bool) vlens.Info { return vlens.Info{"image/jpeg", "jpg", w, h, complete} }
	pngOf := func(w, h int, complete bool) vlens.Info { return vlens.Info{"image/png", "png", w, h, complete} }
	webpOf := func(w, h int, complete bool) vlens.Info { return vlens.Info{"image/webp", "webp", w, h, complete} }
	heicOf := func(w, h int, complete bool) vlens.Info { return vlens.Info{"image/heic", "heic", w, h, complete} }
	pdf := func(complete bool) vlens.Info { return vlens.Info{"application/pdf", "pdf", 0, 0, complete} }

	for name, test := range map[string]struct {
		bytes []byte
		want  vlens.Info // zero: no image
	}{
		"jpeg":                           {photo, jpg(24, 16, true)},
		"jpeg, zeros behind":             {append(bytes.Clone(photo), make([]byte, 1<<17)...), jpg(24, 16, true)},
		"jpeg, a film behind":            {append(bytes.Clone(photo), bytes.Repeat([]byte("\xff\x01ftyp"), 1<<15)...), jpg(24, 16, true)},
		"jpeg, cut":                      {photo[:len(photo)-1], jpg(24, 16, false)},
		"jpeg, cut in the scan":          {photo[:len(photo)-30], jpg(24, 16, false)},
		"jpeg, cut in the header":        {photo[:100], jpg(0, 0, false)},
		"jpeg, three bytes":              {photo[:3], jpg(0, 0, false)},
		"jpeg with thumbnail":            {withThumbnail, jpg(24, 16, true)},
		"jpeg, cut after the thumbnail":  {withThumbnail[:len(withThumbnail)-20], jpg(24, 16, false)},
		"jpeg, cut behind the thumbnail": {withThumbnail[:12+len(thumbnail)], jpg(0, 0, false)},
		"jpeg, end but no scan":          {[]byte{0xff, 0xd8, 0xff, 0xd9}, jpg(0, 0, false)},
		"jpeg, fill bytes":               {append([]byte{0xff, 0xd8, 0xff, 0xff}, photo[2:]...), jpg(24, 16, true)},
		"jpeg, two scans": {
			bytes.Join([][]byte{{0xff, 0xd8}, segment(0xc2, []byte{8, 0, 5, 0, 9, 1}), segment(0xda, []byte{1}), []byte("ab\xff\x00\xff\xd0c"), segment(0xc4, []byte{0xff, 0xd9}), segment(0xda, []byte{1}), []byte("d\xff\xd9tail")}, nil),
			jpg(9, 5, true),
		},
		"jpeg, second scan cut": {
			bytes.Join([][]byte{{0xff, 0xd8}, segment(0xc2, []byte{8, 0, 5, 0, 9, 1}), segment(0xda, []byte{1}), []byte("ab\xff\x00\xff\xd0c"), segment(0xc4, []byte{0xff, 0xd9, 0}), segment(0xda, []byte{1}), []byte("d\xff")}, nil),
			jpg(9, 5, false),
		},
		"png":                          {pngPhoto(), pngOf(33, 17, true)},
		"png, something behind":        {append(pngPhoto(), 0, 0), pngOf(33, 17, true)},
		"png, cut":                     {pngPhoto()[:len(pngPhoto())-1], pngOf(33, 17, false)},
		"png, the vendor's own sample": {sample, pngOf(1, 1, false)},
		"png, signature only":          {pngPhoto()[:8], pngOf(0, 0, false)},
		"webp, lossy":                  {webp("VP8 ", []byte("\x00\x00\x00\x9d\x01\x2a\x40\x41\xf0\x00")), webpOf(0x140, 0xf0, true)},
		"webp, lossless":               {webp("VP8L", append([]byte{0x2f, 0x3f, 0xc1, 0x3b, 0x00}, make([]byte, 8)...)), webpOf(0x140, 0xf0, true)},
		"webp, extended":               {webp("VP8X", []byte("\x00\x00\x00\x00\x3f\x01\x00\xef\x00\x00")), webpOf(0x140, 0xf0, true)},
		"webp, cut":                    {webp("VP8X", []byte("\x00\x00\x00\x00\x3f\x01\x00\xef\x00\x00 more"))[:32], webpOf(0x140, 0xf0, false)},
		"webp, header only":            {webp("VP8 ", nil)[:20], webpOf(0, 0, false)},
		"heic":                         {heicWhole, heicOf(4032, 3024, true)},
		"heic, cut in the data":        {heicWhole[:len(heicWhole)-1], heicOf(4032, 3024, false)},
		"heic, cut before the data":    {heicWhole[:len(heicWhole)-508], heicOf(4032, 3024, false)},
		"heic, large sizes":            {heic("mif1\x00\x00\x00\x00heic", heicMeta, append([]byte("\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x14"), 1, 2, 3, 4)), heicOf(4032, 3024, true)},
		"heif":                         {heic("mif1\x00\x00\x00\x00msf1", heicMeta, []byte("\x00\x00\x00\x00mdatrest")), vlens.Info{"image/heif", "heic", 4032, 3024, true}},
		"pdf":                          {pdfWhole, pdf(true)},
		"pdf, cut":                     {pdfWhole[:len(pdfWhole)-8], pdf(false)},
		"pdf, end long before":         {append(bytes.Clone(pdfWhole), make([]byte, 2000)...), pdf(false)},

		"nothing":     {nil, vlens.Info{}},
		"text":        {[]byte("bytes"), vlens.Info{}},
		"html":        {[]byte("<html>"), vlens.Info{}},
		"gif":         {[]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00"), vlens.Info{}},
		"film":        {isoBox("ftyp", []byte("isom\x00\x00\x00\x00mp42")), vlens.Info{}},
		"sound":       {[]byte("RIFF\x24\x00\x00\x00WAVEfmt "), vlens.Info{}},
		"zero length": {[]byte("\x00\x00\x00\x00\x00\x00\x00\x00"), vlens.Info{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, known := vlens.Inspect(test.bytes)
			if got != test.want || known != (test.want != vlens.Info{}) {
				t.Errorf("%+v, %t; want %+v", got, known, test.want)
			}
		})
	}
}

// No proper part of an image may pass for the whole.
func TestEveryCutShows(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string][]byte{
		"jpeg": photo, "png": pngPhoto(), "heic": heicWhole, "pdf": bytes.TrimSpace(pdfWhole),
		"webp": webp("VP8X", bytes.Repeat([]byte{1}, 40)),
	} {
		if info, _ := vlens.Inspect(whole); !info.Complete {
			t.Errorf("%s: the whole is not complete", name)
		}
		for n := range whole {
			if info, _ := vlens.Inspect(whole[:n]); info.Complete {
				t.Errorf("%s: %d of %d bytes pass for the whole", name, n, len(whole))
			}
		}
	}
}
