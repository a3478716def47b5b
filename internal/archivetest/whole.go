package archivetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/google/go-cmp/cmp"

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
		folder, name := key[:strings.LastIndex(key, "/")+1], key[strings.LastIndex(key, "/")+1:]
		if strings.HasPrefix(name, "record.") {
			last[folder] = max(last[folder], name)
		}
	}
	for folder, name := range last {
		tn.checkRecord(folder+name, objects[folder+name].Body)
	}

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

// checkRecord compares what the last record of a folder states as stored with
// what the ledger has for the folder.
func (tn *Tenant) checkRecord(key string, body []byte) {
	tn.T.Helper()
	var record struct {
		Subject string
		Images  []struct{ State, Key, SHA256 string }
	}
	if err := json.Unmarshal(body, &record); err != nil {
		tn.T.Errorf("%q: %v", key, err)
		return
	}
	stated := make(map[string]string)
	for _, image := range record.Images {
		if image.State == "stored" {
			stated[image.Key] = image.SHA256
		}
	}
	folder := key[:strings.LastIndex(key, "/")+1]
	maps.DeleteFunc(stated, func(image, _ string) bool { return !strings.HasPrefix(image, folder) })
	rows := Index(Query[string](tn, `
		SELECT key || ' ' || sha256 FROM archive.images WHERE state = 'stored' AND subject = $1 AND starts_with(key, $2)`,
		record.Subject, folder))
	if diff := cmp.Diff(rows, stated); diff != "" {
		tn.T.Errorf("ledger (-) and %q (+) differ:\n%s", key, diff)
	}
}

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
