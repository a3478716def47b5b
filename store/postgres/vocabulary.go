package postgres

import "vlens-archiver/store"

// What migrations have taught the ledger: the check of archive.images.kind, and
// the rows of archive.classes. A new kind or class needs a migration.
const (
	kindsOfLedger   = 6
	classesOfLedger = 17
)

var (
	_ = [1]struct{}{}[store.KindCount-kindsOfLedger]
	_ = [1]struct{}{}[store.ClassCount-classesOfLedger]
)
