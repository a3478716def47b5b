package export

import (
	"context"
	"errors"
	"io"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// putBack opens recorded versions, and where one is gone, what is under its
// key: an object that was put back from a copy is another version. Whoever reads
// it compares its hash.
type putBack struct{ audit.Getter }

// Get opens an object as audit.Getter does.
func (p putBack) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	body, object, err := p.Getter.Get(ctx, key, versionID)
	if versionID != "" && errors.Is(err, store.ErrNotFound) {
		return p.Getter.Get(ctx, key, "")
	}
	return body, object, err
}
