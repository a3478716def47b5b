package manifest

import (
	"encoding/json"
	"fmt"

	"vlens-archiver/store"
)

// EncodeArchive gives the exact bytes of archive.json. The same identity always
// gives the same bytes, so that two first runs at once agree.
func EncodeArchive(id store.ArchiveIdentity) ([]byte, error) {
	body, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode archive.json: %w", err)
	}
	return append(body, '\n'), nil
}

// DecodeArchive reads archive.json.
func DecodeArchive(body []byte) (store.ArchiveIdentity, error) {
	var id store.ArchiveIdentity
	if err := json.Unmarshal(body, &id); err != nil {
		return store.ArchiveIdentity{}, fmt.Errorf("decode archive.json: %w", err)
	}
	return id, nil
}
