package manifest

import "vlens-archiver/store"

// TransactionID is the vendor's transaction id for a transaction folder, nil
// when the folder stands for a transaction without one.
func TransactionID(folder string) *string {
	if !store.NamedTransaction(folder) {
		return nil
	}
	return &folder
}
