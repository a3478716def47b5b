package manifest_test

import (
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// A record says where its facts are from, and that makes it no other record.
func TestProvenanceOfARecord(t *testing.T) {
	t.Parallel()
	source := store.Provenance{RequestID: "0f8fad5b-d9cb-469f-a165-70867728950e", VendorDate: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	plain, named := wholeRecord(), wholeRecord()
	named.Source.Provenance = manifest.NewProvenance(source)
	named.Images[0].Source = manifest.NewProvenance(source)
	named.Images[1].Source = manifest.NewProvenance(store.Provenance{RequestID: source.RequestID}) // an answer without a Date
	body, err := named.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, "record", body); err != nil {
		t.Errorf("%v\n%s", err, body)
	}
	read, err := manifest.DecodeRecord(body)
	if err != nil {
		t.Fatal(err)
	}
	if read.Source.Provenance == nil || read.Source.RequestID != source.RequestID || !read.Source.VendorDate.Equal(source.VendorDate) ||
		read.Images[0].Source == nil || *read.Images[0].Source.VendorDate != source.VendorDate || read.Images[1].Source.VendorDate != nil {
		t.Errorf("read back: %+v, %+v", read.Source, read.Images[0].Source)
	}
	if !read.SameImages(plain.Images) {
		t.Error("it states other images for it")
	}
	if body, err = plain.Encode(); err != nil || strings.Contains(string(body), "request_id") {
		t.Errorf("of nothing known it says %s, %v", body, err)
	}
}

// A later build may say more under the same schema; another schema is not read.
func TestRecordsOfLaterBuilds(t *testing.T) {
	t.Parallel()
	good, err := wholeRecord().Encode()
	if err != nil {
		t.Fatal(err)
	}
	more := strings.NewReplacer(`"sequence"`, `"extra": {"a": [1]}, "sequence"`, `"kind"`, `"colour": "red", "kind"`, `"bucket"`, `"class": 1, "bucket"`).Replace(string(good))
	read, err := manifest.DecodeRecord([]byte(more))
	if err != nil || !read.SameImages(wholeRecord().Images) {
		t.Errorf("with more fields: %v", err)
	}
	later := strings.NewReplacer("/record/v1", "/record/v2", `"sequence": 1`, `"sequence": "first"`).Replace(string(good))
	if _, err := manifest.DecodeRecord([]byte(later)); err == nil || !strings.Contains(err.Error(), "not known to this program") {
		t.Errorf("of another schema: %v", err)
	}
}
