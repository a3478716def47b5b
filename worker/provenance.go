package worker

import (
	"slices"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens"
)

// sourceOf is the vendor's answer in the words of the archive.
func sourceOf(p vlens.Provenance) store.Provenance {
	return store.Provenance{RequestID: p.RequestID, VendorDate: p.VendorDate}
}

// keepSources takes the provenance of images from an earlier record of the same
// transaction, since the ledger does not keep it.
func keepSources(stated, earlier []manifest.Image) {
	for n, image := range stated {
		if image.Source != nil || image.Key == nil {
			continue
		}
		at := slices.IndexFunc(earlier, func(e manifest.Image) bool { return e.Key != nil && *e.Key == *image.Key })
		if at >= 0 {
			stated[n].Source = earlier[at].Source
		}
	}
}

// toAsk is what a person needs to ask the vendor about a failure, as attributes of
// a log line.
func toAsk(e *vlens.Error) []any {
	if e == nil {
		return nil
	}
	attributes := []any{"endpoint", e.Endpoint, "request_id", e.RequestID}
	if e.Status != 0 {
		attributes = append(attributes, "http_status", e.Status)
	}
	if e.Code != 0 {
		attributes = append(attributes, "vendor_code", e.Code)
	}
	if !e.VendorDate.IsZero() {
		attributes = append(attributes, "vendor_date", e.VendorDate.UTC())
	}
	return attributes
}
