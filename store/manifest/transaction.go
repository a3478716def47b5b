package manifest

import "strings"

// TransactionID is the vendor's transaction id for a transaction folder, nil
// when the folder stands for a transaction without one.
func TransactionID(folder string) *string {
	if folder == "" || strings.HasPrefix(folder, "t-") {
		return nil
	}
	return &folder
}
