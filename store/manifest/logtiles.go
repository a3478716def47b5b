package manifest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// The shape of the log's tiles (c2sp.org/tlog-tiles): eight levels of the tree
// in one, and up to 256 entries in a bundle.
const (
	TileHeight = 8
	TileWidth  = 1 << TileHeight
	// EntryLevel is the level of an entry bundle where a tlog.Tile names one.
	EntryLevel = -1
)

// entrySize is the length of an entry; it stands before each in a bundle.
const entrySize = sha256.Size

// Entry is one entry of the log: the SHA-256 of a record's exact bytes, or of
// the exact bytes of a run's SHA256SUMS.
type Entry = [entrySize]byte

// LeafHash is the hash of an entry as a leaf of the log's tree (RFC 6962,
// section 2.1).
func LeafHash(entry Entry) tlog.Hash { return tlog.RecordHash(entry[:]) }

// NewTiles are the tiles and entry bundles that a log of the new size has and
// one of the old size has not. The entry bundle of a tile comes before it.
func NewTiles(oldSize, newSize int64) []tlog.Tile {
	var tiles []tlog.Tile
	for _, t := range tlog.NewTiles(TileHeight, oldSize, newSize) {
		if t.L == 0 {
			bundle := t
			bundle.L = EntryLevel
			tiles = append(tiles, bundle)
		}
		tiles = append(tiles, t)
	}
	return tiles
}

// EncodeEntries gives the exact bytes of an entry bundle: before each entry its
// length, as two bytes with the higher one first.
func EncodeEntries(entries []Entry) []byte {
	body := make([]byte, 0, len(entries)*(2+entrySize))
	for _, entry := range entries {
		body = binary.BigEndian.AppendUint16(body, entrySize)
		body = append(body, entry[:]...)
	}
	return body
}

// DecodeEntries reads an entry bundle. An entry that is no SHA-256 is an error.
func DecodeEntries(body []byte) ([]Entry, error) {
	const step = 2 + entrySize
	if len(body)%step != 0 || len(body) > TileWidth*step {
		return nil, fmt.Errorf("decode entry bundle: %d bytes are not up to %d entries of %d bytes", len(body), TileWidth, step)
	}
	entries := make([]Entry, 0, len(body)/step)
	for at := 0; at < len(body); at += step {
		if size := binary.BigEndian.Uint16(body[at:]); size != entrySize {
			return nil, fmt.Errorf("decode entry bundle: entry %d has %d bytes, not %d", len(entries), size, entrySize)
		}
		entries = append(entries, Entry(body[at+2:at+step]))
	}
	return entries, nil
}

// EncodeTile gives the exact bytes of a tile: its hashes in order.
func EncodeTile(hashes []tlog.Hash) []byte {
	body := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, hash := range hashes {
		body = append(body, hash[:]...)
	}
	return body
}
