package doctor

import "slices"

// checks is the table of all checks, in the order in which they are tried.
func checks() []check {
	return slices.Concat(
		configChecks(),
		ledgerChecks(),
		sourceChecks(),
		queryChecks(),
		vendorChecks(),
		bucketChecks(),
		bucketWriteChecks(),
		archiveChecks(),
		evidenceChecks(),
		receiverChecks(),
	)
}
