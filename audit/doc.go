// Package audit derives the truth about an archive from what is stored: it
// checks every object against ledger, records and log, hands evidence out with
// what proves it, reports, and fills a lost ledger from the bucket. It is written
// against the formats in package store/manifest and shares nothing with the
// worker that wrote them, so that a mistake there is not made here a second time.
package audit
