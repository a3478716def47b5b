package verify

import (
	"vlens-archiver/store"
)

// logRows reads the ledger's rows by their index.
type logRows struct {
	next  func() (store.LogRow, error, bool)
	ahead *store.LogRow // read, and not asked for yet
}

// at gives the row with this index; a row without a key when there is none. The
// indexes that are asked for go up.
func (r *logRows) at(index int64) (store.LogRow, error) {
	for {
		if r.ahead == nil {
			row, err, more := r.next()
			if err != nil || !more {
				return store.LogRow{}, err
			}
			r.ahead = &row
		}
		if r.ahead.Index > index {
			return store.LogRow{}, nil
		}
		row := *r.ahead
		r.ahead = nil
		if row.Index == index {
			return row, nil
		}
	}
}

// notPublished looks at the rows beyond the published log, which must go on
// without a gap.
func (w *logWalk) notPublished() error {
	for index := w.size; ; index++ {
		row, err := w.rows.at(index)
		if err != nil || row.Key == "" && w.rows.ahead == nil {
			return err
		}
		w.checkRow(index, row, w.Layout.Checkpoint())
		if row.Key == "" {
			return nil // one gap is enough
		}
	}
}
