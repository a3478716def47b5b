// Package verify checks every object of an archive against ledger, records and
// log, and names each that is not as it was archived.
package verify
