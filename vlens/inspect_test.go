package vlens_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/png"
	"math"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/image/bmp"

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

// isoFile begins as files of the ISO base media family do, HEIF and films among
// them.
func isoFile(brand string) []byte {
	return append([]byte("\x00\x00\x00\x18ftyp"+brand+"\x00\x00\x00\x00mif1miaf"), make([]byte, 400)...)
}

func bmpPhoto(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bmp.Encode(&b, image.NewGray(image.Rect(0, 0, 33, 17))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bmpOfHeight claims a height, which is negative when the rows begin at the top.
func bmpOfHeight(height int32) []byte {
	b := []byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x07\x00\x00\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(height))
	return append(b, append([]byte("\x01\x00\x18\x00"), make([]byte, 24)...)...)
}

// tiffOf is a TIFF of grey pixels in either order of bytes, without the pixels.
func tiffOf(order binary.AppendByteOrder, start string, width, height uint32) []byte {
	b := order.AppendUint16(order.AppendUint32([]byte(start), 8), 5)
	for _, entry := range [][2]uint32{{256, width}, {257, height}, {258, 8}, {259, 1}, {262, 1}} {
		b = order.AppendUint16(b, uint16(entry[0]))
		b = order.AppendUint16(b, 4) // LONG
		b = order.AppendUint32(order.AppendUint32(b, 1), entry[1])
	}
	return b
}

// animated puts the chunk behind the header that makes an animated PNG.
func animated(png []byte) []byte {
	const header = 8 + 25
	chunk := []byte("\x00\x00\x00\x08acTL\x00\x00\x00\x01\x00\x00\x00\x00")
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return slices.Concat(png[:header], chunk, png[header:])
}

var (
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
	jpg := func(w, h int, complete bool) vlens.Info { return vlens.Info{"image/jpeg", w, h, complete} }
	pngOf := func(w, h int, complete bool) vlens.Info { return vlens.Info{"image/png", w, h, complete} }
	// Of the others nobody can tell whether they break off.
	whole := func(mediaType string, w, h int) vlens.Info { return vlens.Info{mediaType, w, h, true} }
	grey := []byte{8, 0, 5, 0, 9, 1, 1, 0x11, 0} // the frame of 9 × 5 pixels with one component

	for name, test := range map[string]struct {
		bytes []byte
		want  vlens.Info // zero: no image
	}{
		"jpeg":                           {photo, jpg(24, 16, true)},
		"jpeg, zeros behind":             {append(bytes.Clone(photo), make([]byte, 1<<17)...), jpg(24, 16, true)},
		"jpeg, a film behind":            {append(bytes.Clone(photo), bytes.Repeat([]byte("\xff\x01ftyp"), 1<<15)...), jpg(24, 16, true)},
		"jpeg, a second one behind":      {append(bytes.Clone(photo), thumbnail[:len(thumbnail)-2]...), jpg(24, 16, true)},
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
			bytes.Join([][]byte{{0xff, 0xd8}, segment(0xc2, grey), segment(0xda, []byte{1}), []byte("ab\xff\x00\xff\xd0c"), segment(0xc4, []byte{0xff, 0xd9}), segment(0xda, []byte{1}), []byte("d\xff\xd9tail")}, nil),
			jpg(9, 5, true),
		},
		"jpeg, second scan cut": {
			bytes.Join([][]byte{{0xff, 0xd8}, segment(0xc2, grey), segment(0xda, []byte{1}), []byte("ab\xff\x00\xff\xd0c"), segment(0xc4, []byte{0xff, 0xd9, 0}), segment(0xda, []byte{1}), []byte("d\xff")}, nil),
			jpg(9, 5, false),
		},
		"png":                          {pngPhoto(), pngOf(33, 17, true)},
		"png, animated":                {animated(pngPhoto()), pngOf(33, 17, true)},
		"png, something behind":        {append(pngPhoto(), 0, 0), pngOf(33, 17, true)},
		"png, cut":                     {pngPhoto()[:len(pngPhoto())-1], pngOf(33, 17, false)},
		"png, the vendor's own sample": {sample, pngOf(1, 1, false)},
		"png, signature only":          {pngPhoto()[:8], pngOf(0, 0, false)},
		"webp, lossy":                  {webp("VP8 ", []byte("\x00\x00\x00\x9d\x01\x2a\x40\x41\xf0\x00")), whole("image/webp", 0x140, 0xf0)},
		"webp, lossless":               {webp("VP8L", append([]byte{0x2f, 0x3f, 0xc1, 0x3b, 0x00}, make([]byte, 8)...)), whole("image/webp", 0x140, 0xf0)},
		"webp, extended":               {webp("VP8X", []byte("\x00\x00\x00\x00\x3f\x01\x00\xef\x00\x00")), whole("image/webp", 0x140, 0xf0)},
		"webp, header only":            {webp("VP8 ", nil)[:20], whole("image/webp", 0, 0)},
		"gif":                          {[]byte("GIF89a\x21\x00\x11\x00\x00\x00\x00"), whole("image/gif", 33, 17)},
		"gif, old":                     {[]byte("GIF87a\x21\x00\x11\x00\x00\x00\x00"), whole("image/gif", 33, 17)},
		"gif, cut in the header":       {[]byte("GIF89a\x21\x00"), whole("image/gif", 0, 0)},
		"bmp":                          {bmpPhoto(t), whole("image/bmp", 33, 17)},
		"bmp, from the top":            {bmpOfHeight(-5), whole("image/bmp", 7, 5)},
		"bmp of 16 colours, packed":    {append([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x76\x00\x00\x00\x28\x00\x00\x00\x07\x00\x00\x00\x07\x00\x00\x00\x01\x00\x04\x00\x02"), make([]byte, 90)...), whole("image/bmp", 0, 0)},
		"bmp, more rows than fit":      {bmpOfHeight(math.MinInt32), whole("image/bmp", 0, 0)},
		"tiff":                         {tiffOf(binary.LittleEndian, "II*\x00", 33, 17), whole("image/tiff", 33, 17)},
		"tiff, most significant first": {tiffOf(binary.BigEndian, "MM\x00*", 33, 17), whole("image/tiff", 33, 17)},
		"tiff, as wide as fits":        {tiffOf(binary.BigEndian, "MM\x00*", math.MaxInt32, 17), whole("image/tiff", math.MaxInt32, 17)},
		"tiff, wider than fits":        {tiffOf(binary.LittleEndian, "II*\x00", 3_000_000_000, 17), whole("image/tiff", 0, 0)},
		"tiff, start only":             {[]byte("II*\x00"), whole("image/tiff", 0, 0)},
		"pdf":                          {pdfWhole, whole("application/pdf", 0, 0)},
		"pdf, something before":        {append(bytes.Repeat([]byte("\r\n"), 500), pdfWhole...), whole("application/pdf", 0, 0)},

		"nothing":      {nil, vlens.Info{}},
		"text":         {[]byte("bytes"), vlens.Info{}},
		"html":         {[]byte("<html>"), vlens.Info{}},
		"svg":          {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), vlens.Info{}},
		"film":         {isoFile("isom"), vlens.Info{}},
		"sound":        {[]byte("RIFF\x24\x00\x00\x00WAVEfmt "), vlens.Info{}},
		"zero length":  {[]byte("\x00\x00\x00\x00\x00\x00\x00\x00"), vlens.Info{}},
		"pdf far away": {append(make([]byte, 5000), pdfWhole...), vlens.Info{}},
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

// TestBrandsOfHEIF: the first brand is what a file is to be taken for (ISO/IEC
// 23008-12, annex B); no decoder here tells its size.
func TestBrandsOfHEIF(t *testing.T) {
	t.Parallel()
	for mediaType, brands := range map[string][]string{
		"image/heic": {"heic", "heix", "hevc", "hevx"},
		"image/heif": {"mif1", "msf1", "heim", "heis", "hevm", "hevs"},
		"image/avif": {"avif", "avis"},
	} {
		for _, brand := range brands {
			got, _ := vlens.Inspect(isoFile(brand))
			if want := (vlens.Info{MediaType: mediaType, Complete: true}); got != want {
				t.Errorf("%s: %+v, want %+v", brand, got, want)
			}
		}
	}
}

// No proper part of a JPEG or PNG may pass for the whole.
func TestEveryCutShows(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string][]byte{"jpeg": photo, "png": pngPhoto()} {
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

// TestHeadersTakeLittleMemory: whatever a header claims, and however long the file
// is, inspecting it takes no memory to speak of.
func TestHeadersTakeLittleMemory(t *testing.T) {
	claims := map[string][]byte{
		"jpeg": {0xff, 0xd8, 0xff}, "png": []byte("\x89PNG\r\n\x1a\n"), "gif": []byte("GIF89a"),
		"webp": []byte("RIFF\xff\xff\xff\xffWEBPVP8X"), "lossy webp": []byte("RIFF\xff\xff\xff\xffWEBPVP8 "), "lossless webp": []byte("RIFF\xff\xff\xff\xffWEBPVP8L"),
		"bmp": bmpOfHeight(math.MaxInt32), "tiff": tiffOf(binary.LittleEndian, "II*\x00", math.MaxInt32, math.MaxInt32),
		"tiff of bytes": append([]byte("II*\x00\x08\x00\x00\x00\xff\xff"), bytes.Repeat([]byte("\x02\x01\x01\x00\xff\xff\xff\x01\x08\x00\x00\x00"), 1<<16)...),
	}
	for name, start := range claims {
		for _, fill := range []byte{0, 0xff} {
			b := append(bytes.Clone(start), bytes.Repeat([]byte{fill}, 16<<20)...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			vlens.Inspect(b)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 2<<20 {
				t.Errorf("%s: %d bytes for a header", name, took)
			}
		}
	}
}
