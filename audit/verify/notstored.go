package verify

import (
	"slices"

	"vlens-archiver/store"
)

// otherStatement is what a record says of an image that is not stored.
type otherStatement struct {
	image store.Image
	exact bool // the class is that of the ledger's rows
}

// notStored compares what ledger and records say of images that are not stored:
// the vendor listed none, or could not give it.
func (i *inspection) notStored() {
	rows := make(map[string][]store.Image)
	for _, row := range i.rows.Images {
		if row.State != store.ImageStored {
			rows[row.Transaction] = append(rows[row.Transaction], row.Image)
		}
	}
	for transaction, statements := range i.others {
		for _, statement := range statements {
			if !statement.exact {
				continue
			}
			if !slices.ContainsFunc(rows[transaction], statement.fits) {
				i.finding(LedgerDiffers, i.Layout.Transaction(i.rows.Subject, transaction),
					"the record states %s as %s, and the ledger's images have no such row", statement.image.Kind, statement.image.State)
			}
		}
	}
	for transaction, images := range rows {
		for _, image := range images {
			fits := func(statement otherStatement) bool { return statement.fits(image) }
			if !image.Noted() && !i.unreadable[transaction] && !slices.ContainsFunc(i.others[transaction], fits) {
				i.finding(LedgerDiffers, i.Layout.Transaction(i.rows.Subject, transaction),
					"the ledger has %s as %s, and no record states it so", image.Kind, image.State)
			}
		}
	}
}

func (s otherStatement) fits(row store.Image) bool {
	return s.image.Kind == row.Kind && s.image.State == row.State && s.image.Ref == row.Ref &&
		(s.image.Class == row.Class || !s.exact)
}
