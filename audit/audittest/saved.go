package audittest

import (
	"fmt"
	"strings"

	"vlens-archiver/internal/archivetest"
)

// savedTables are those of the ledger that damage may touch, and that a check adds
// to.
var savedTables = []string{
	"access_log", "verifications", "exceptions", "runs", "subjects", "images", "records", "outcomes", "log_entries", "log", "archive",
}

// Saved is an archive as it was at one moment, in bucket and ledger, so that one
// archive does for many cases of damage.
type Saved struct {
	*Archive
	objects map[string]archivetest.Object
	etags   map[string]string
}

// Save keeps what is in bucket and ledger.
func (a *Archive) Save() Saved {
	a.T.Helper()
	a.ExecLedger(`CREATE SCHEMA saved; ` + eachTable(`CREATE TABLE saved.%[1]s AS TABLE archive.%[1]s`))
	return Saved{a, a.Objects(), a.etags()}
}

// eachTable is an SQL statement once for each of savedTables.
func eachTable(statement string) string {
	var all []string
	for _, table := range savedTables {
		all = append(all, fmt.Sprintf(statement, table))
	}
	return strings.Join(all, "; ")
}

// etags are the objects of the bucket, by key.
func (a *Archive) etags() map[string]string {
	a.T.Helper()
	etags := make(map[string]string)
	for o, err := range a.Bucket.List(a.T.Context(), "") {
		if err != nil {
			a.T.Fatal(err)
		}
		etags[o.Key] = o.ETag
	}
	return etags
}

// Restore puts it back. An object that was changed or removed is another version
// afterwards.
func (s Saved) Restore() {
	s.T.Helper()
	now := s.Archive.etags()
	for key, etag := range now {
		was, saved := s.etags[key]
		if !saved {
			s.Remove(key)
		} else if etag != was {
			s.RemoveVersion(key)
			s.Put(key, s.objects[key])
		}
	}
	for key := range s.etags {
		if _, there := now[key]; !there {
			s.Put(key, s.objects[key])
		}
	}
	s.Edit(eachTable(`DELETE FROM archive.%[1]s; INSERT INTO archive.%[1]s OVERRIDING SYSTEM VALUE SELECT * FROM saved.%[1]s`))
}
