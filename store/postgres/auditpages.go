package postgres

import (
	"iter"

	"github.com/jackc/pgx/v5"
)

// readSnapshot is for queries that read one moment and write nothing.
var readSnapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// pages yields rows that are read so many at a time: next reads those behind the
// row that is given, which at first is begin. An error is the last that it yields.
//
// Where next queries, the error of the query comes with its rows: CollectRows
// returns it.
func pages[Row any](begin Row, size int, next func(last Row) ([]Row, error)) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		last := begin
		for {
			page, err := next(last)
			if err != nil {
				var none Row
				yield(none, err)
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if len(page) < size {
				return
			}
			last = page[len(page)-1]
		}
	}
}
