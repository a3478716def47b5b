package archivetest

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vlens-archiver/vlens/vlenstest"
)

// CheckWhole compares the three places where an archive stands: what the vendor
// has, what is in the bucket, and what the ledger says. Every expected image
// must be stored exactly once, in the ledger and in the last record of its
// folder; nothing else may stand under subjects/, and nobody may hold a lease.
func (tn *Tenant) CheckWhole(users int) {
	t := tn.T
	t.Helper()
	bodies := make(map[string]string) // key → hash of the bytes in the bucket
	last := make(map[string]string)   // folder → name of its last record
	objects := tn.ObjectsUnder(Prefix + "/subjects/")
	for key, object := range objects {
		bodies[key] = HashOf(object.Body)
		folder, name := folderOf(key), path.Base(key)
		if strings.HasPrefix(name, "record.") {
			last[folder] = max(last[folder], name)
		}
	}
	tn.checkRecords(last, objects)

	ledger := Index(Query[string](tn, `
		SELECT key || ' ' || sha256 FROM archive.images WHERE state = 'stored'
		UNION ALL SELECT key || ' ' || sha256 FROM archive.records`))
	if diff := cmp.Diff(ledger, bodies); diff != "" {
		t.Errorf("ledger (-) and bucket (+) differ:\n%s", diff)
	}

	want := ExpectedImages(tn.Sim, tn.UserIDs()...)
	got := make(map[string]string)
	for key, hash := range bodies {
		if !strings.HasSuffix(key, ".json") {
			got[key[:strings.LastIndex(key, ".")]] = hash
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the vendor has (-) and the bucket (+) differ:\n%s", diff)
	}

	if n := tn.Count(`SELECT count(*) FROM archive.subjects WHERE left_at IS NULL`); n != int64(users) {
		t.Errorf("the ledger has %d users, want %d", n, users)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.subjects WHERE lease_process IS NOT NULL`); n != 0 {
		t.Errorf("%d leases are left", n)
	}
}

// checkRecords compares what the last record of each folder states as stored with
// what the ledger has for the folder and the record's subject.
func (tn *Tenant) checkRecords(last map[string]string, objects map[string]Object) {
	tn.T.Helper()
	ledger := make(map[string]map[string]string) // subject and folder → key → hash
	for _, row := range Query[string](tn, `SELECT subject || ' ' || key || ' ' || sha256 FROM archive.images WHERE state = 'stored'`) {
		words := strings.Fields(row)
		subject, key, hash := words[0], words[1], words[2]
		at := subject + " " + folderOf(key)
		if ledger[at] == nil {
			ledger[at] = make(map[string]string)
		}
		ledger[at][key] = hash
	}
	for folder, name := range last {
		var record struct {
			Subject string
			Images  []struct{ State, Key, SHA256 string }
		}
		if err := json.Unmarshal(objects[folder+name].Body, &record); err != nil {
			tn.T.Errorf("%q: %v", folder+name, err)
			continue
		}
		stated := make(map[string]string)
		for _, image := range record.Images {
			if image.State == "stored" && folderOf(image.Key) == folder {
				stated[image.Key] = image.SHA256
			}
		}
		if diff := cmp.Diff(ledger[record.Subject+" "+folder], stated, cmpopts.EquateEmpty()); diff != "" {
			tn.T.Errorf("ledger (-) and %q (+) differ:\n%s", folder+name, diff)
		}
	}
}

// folderOf is a key without the name after its last slash.
func folderOf(key string) string { return key[:strings.LastIndex(key, "/")+1] }

// ExpectedImages is what the vendor has of these users now: the SHA-256 of each
// image by its key, which lacks the extension.
func ExpectedImages(sim *vlenstest.Server, userIDs ...string) map[string]string {
	images := make(map[string]string)
	for _, id := range userIDs {
		expected, _ := sim.Expected(id)
		subject := SubjectOf(id)
		for kind, sum := range expected.Images {
			key := fmt.Sprintf("%s/subjects/%s/%s/%s/%s.%s", Prefix, subject[:2], subject, expected.TransactionID, kind, sum.SHA256[:16])
			images[key] = sum.SHA256
		}
	}
	return images
}
