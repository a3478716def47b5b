package manifest

import (
	"strings"

	"vlens-archiver/store"
)

// TransactionID is the vendor's transaction id for a transaction folder, nil
// when the folder stands for a transaction without one.
func TransactionID(folder string) *string {
	if folder == "" || strings.HasPrefix(folder, store.UnnamedPrefix) {
		return nil
	}
	return &folder
}
