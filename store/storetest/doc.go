// Package storetest holds what a bucket and a ledger promise, as suites that the
// real services and the fakes in memory both pass, and these fakes. A fake fails
// the test that uses it when an object is overwritten or vanishes, or when
// history is changed.
package storetest
