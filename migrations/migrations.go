// Package migrations holds the numbered SQL files that make the ledger.
package migrations

import "embed"

// FS holds the migrations, one file per step, in the format of
// github.com/pressly/goose: NNNN_name.sql with an Up and a Down part.
//
//go:embed *.sql
var FS embed.FS
