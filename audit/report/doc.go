// Package report draws what the ledger says of a run or a period as one HTML page.
package report
