package vlens

import (
	"encoding/binary"
	"iter"
	"strings"
)

// box is one box of the ISO base media file format (ISO/IEC 14496-12). whole is
// false when the file ends inside it.
type box struct {
	kind  string
	data  []byte
	whole bool
}

// boxes yields the boxes that stand one after another in b.
func boxes(b []byte) iter.Seq[box] {
	return func(yield func(box) bool) {
		for len(b) >= 8 {
			size, header := uint64(binary.BigEndian.Uint32(b)), uint64(8)
			switch {
			case size == 0: // to the end of the file
				size = uint64(len(b))
			case size == 1 && len(b) >= 16:
				size, header = binary.BigEndian.Uint64(b[8:]), 16
			}
			if size < header {
				return
			}
			end := min(size, uint64(len(b)))
			if !yield(box{kind: string(b[4:8]), data: b[header:end], whole: end == size}) {
				return
			}
			b = b[end:]
		}
	}
}

// inspectHEIF knows a file by its brands. It is complete if its boxes are whole
// and describe as well as hold the image.
func inspectHEIF(b []byte) (Info, bool) {
	info := Info{Extension: "heic"}
	var described, held bool
	cut := false
	for box := range boxes(b) {
		if info.MediaType == "" {
			if box.kind != "ftyp" {
				return Info{}, false
			}
			if info.MediaType = mediaTypeOf(box.data); info.MediaType == "" {
				return Info{}, false
			}
		}
		switch box.kind {
		case "meta":
			described = true
			info.Width, info.Height = spatialExtent(box.data)
		case "moov":
			described = true
		case "mdat":
			held = true
		}
		cut = cut || !box.whole
	}
	if info.MediaType == "" {
		return Info{}, false
	}
	info.Complete = described && held && !cut
	return info, true
}

// mediaTypeOf reads the major and the compatible brands of a ftyp box
// (ISO/IEC 23008-12, annex B); it is empty for other families of this format,
// such as video.
func mediaTypeOf(ftyp []byte) string {
	mediaType := ""
	for n := 0; n+4 <= len(ftyp); n += 4 {
		if n == 4 {
			continue // the minor version
		}
		switch string(ftyp[n : n+4]) {
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs":
			return "image/heic"
		case "mif1", "msf1":
			mediaType = "image/heif"
		}
	}
	return mediaType
}

// spatialExtent is the largest ispe property; tiles and thumbnails have smaller
// ones. meta and ispe begin with version and flags.
func spatialExtent(meta []byte) (width, height int) {
	if len(meta) < 4 {
		return 0, 0
	}
	var largest uint64
	for _, data := range inside(meta[4:], "iprp/ipco/ispe") {
		if len(data) < 12 {
			continue
		}
		w, h := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
		if area := uint64(w) * uint64(h); area > largest {
			largest, width, height = area, int(w), int(h)
		}
	}
	return width, height
}

// inside returns the contents of the boxes at a path.
func inside(b []byte, path string) [][]byte {
	kind, rest, deeper := strings.Cut(path, "/")
	var found [][]byte
	for box := range boxes(b) {
		switch {
		case box.kind != kind:
		case deeper:
			found = append(found, inside(box.data, rest)...)
		default:
			found = append(found, box.data)
		}
	}
	return found
}
