package audittest

import "vlens-archiver/internal/archivetest"

// Saved is the bucket of an archive as it was at one moment, so that one archive
// does for many cases of damage.
type Saved struct {
	*Archive
	objects map[string]archivetest.Object
	etags   map[string]string
}

// Save keeps what is in the bucket.
func (a *Archive) Save() Saved {
	a.T.Helper()
	return Saved{a, a.Objects(), a.etags()}
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
}
