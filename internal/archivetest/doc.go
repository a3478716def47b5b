// Package archivetest is a whole company on loopback: users and ledger in a real
// Postgres, a bucket on a real S3 server, and a simulated tenant at the vendor.
// Workers, or the program itself, archive there, and CheckWhole says whether
// all places agree afterwards.
//
// Production code must not import this package.
package archivetest
