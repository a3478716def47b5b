// Package worker does a run: it brings the list of users up to date, claims
// those who are due, copies their images from the vendor into the bucket, and
// closes the run with a statement of what was done.
//
// The order of writes is what makes a run safe to kill at any point, so each
// step stands in the code where it happens, with what is durable once it has
// succeeded:
//
//	openarchive.go  archive.json and the ledger agree on which archive this is
//	run.go          enter the run, work on it, close it
//	syncusers.go    the ledger knows every user of the source, and who is due
//	claimusers.go   lease a batch of due users, look up their identifiers
//	archiveuser.go  one user: list → known → resume → fetch → record → commit
//	fetch.go        one image: fetch, hash, put create-only
//	judge.go        how the user ends, and what the record is to state
//	record.go       the record, written last, is the commit mark in the bucket
//	commit.go       one ledger transaction: images, record, outcome, due time, lease
//	close.go        the last process writes the run files and closes the run
//	leaverun.go     free what is still held, and read how run and log stand
//
// Beside the steps stand the rules: stop.go says how a process stops, vendor.go and
// service.go wait for a service that is away, classify.go says whose failure an error
// is, and sealloop.go when the log is sealed.
//
// A process that dies between two steps leaves only objects under keys that
// contain their own hash; whoever takes the user over finds them by listing the
// subject's prefix and goes on from there.
package worker
