// Package audit derives the truth about an archive from what is stored. Each of
// its rooms does one thing with it: verify checks every object against ledger,
// records and log, export hands evidence out with what proves it, rebuild fills a
// lost ledger from the bucket, and report draws what the ledger says. In this
// package itself is what rooms share: reading objects, records and the log.
//
// It is written against the formats in package store/manifest and shares nothing
// with the worker that wrote them, so that a mistake there is not made here a
// second time.
package audit
