package storetest

import (
	"crypto/sha256"
	"io"
	"strings"
	"time"

	"vlens-archiver/store"
)

func (c bucketContract) roundTrip() {
	r := objectRequest("p/subjects/ab/abc/t/face_1.0123456789abcdef.jpg", "picture")
	put := c.create(r)
	head, err := c.Head(c.Context(), r.Key, "")
	if err != nil {
		c.Fatal(err)
	}
	text, got := c.read(r.Key, put.VersionID)
	if text != "picture" {
		c.Fatalf("got %q", text)
	}
	for name, object := range map[string]store.Object{"Put": put, "Head": head, "Get": got} {
		if object.Key != r.Key || object.Size != r.Size || object.ContentType != r.ContentType {
			c.Errorf("%s: %+v", name, object)
		}
		if object.VersionID == "" || object.VersionID != put.VersionID || object.ETag == "" || object.ETag != put.ETag {
			c.Errorf("%s: version %q, ETag %q; Put said %q, %q", name, object.VersionID, object.ETag, put.VersionID, put.ETag)
		}
		if strings.Contains(object.ETag, `"`) {
			c.Errorf("%s: quotes in ETag %s", name, object.ETag)
		}
		for key, value := range r.Metadata {
			if object.Metadata[key] != value {
				c.Errorf("%s: metadata %v", name, object.Metadata)
			}
		}
	}
	if put.SHA256 != sha256Hex("picture") || head.SHA256 != sha256Hex("picture") {
		c.Errorf("SHA-256: Put %q, Head %q", put.SHA256, head.SHA256)
	}
	if age := time.Since(head.LastModified); age < -time.Minute || age > time.Minute {
		c.Errorf("last modified %s", head.LastModified)
	}
}

func (c bucketContract) emptyBody() {
	c.create(objectRequest("empty", ""))
	if text, object := c.read("empty", ""); text != "" || object.Size != 0 {
		c.Fatalf("got %q of %d bytes", text, object.Size)
	}
}

func (c bucketContract) sameBytes() {
	first := c.create(objectRequest("k", "bytes"))
	r := objectRequest("k", "bytes")
	if _, err := r.Body.Seek(3, io.SeekStart); err != nil { // a reader is read from its start
		c.Fatal(err)
	}
	again, created, err := c.Put(c.Context(), r)
	if err != nil || created {
		c.Fatalf("created %t, %v", created, err)
	}
	if again.VersionID != first.VersionID || again.ETag != first.ETag || again.SHA256 != first.SHA256 || again.Size != first.Size {
		c.Fatalf("first %+v, again %+v", first, again)
	}
	if versions := c.collect(c.ListVersions(c.Context(), "k")); len(versions) != 1 {
		c.Fatalf("%d versions", len(versions))
	}
}

func (c bucketContract) otherBytes() {
	c.create(objectRequest("k", "first"))
	for _, other := range []string{"other", "longer than the first"} {
		_, created, err := c.Put(c.Context(), objectRequest("k", other))
		c.wantError(err, store.ErrExists)
		if created {
			c.Fatal("created in spite of an error")
		}
	}
	if text, _ := c.read("k", ""); text != "first" {
		c.Fatalf("got %q", text)
	}
	if versions := c.collect(c.ListVersions(c.Context(), "")); len(versions) != 1 {
		c.Fatalf("%d versions", len(versions))
	}
}

func (c bucketContract) wrongChecksum() {
	r := objectRequest("k", "bytes")
	r.SHA256 = sha256.Sum256([]byte("other"))
	if _, _, err := c.Put(c.Context(), r); err == nil {
		c.Fatal("stored")
	}
	_, err := c.Head(c.Context(), "k", "")
	c.wantError(err, store.ErrNotFound)
}

func (c bucketContract) missing() {
	_, err := c.Head(c.Context(), "nowhere", "")
	c.wantError(err, store.ErrNotFound)
	_, _, err = c.Get(c.Context(), "nowhere", "")
	c.wantError(err, store.ErrNotFound)
	if found := c.collect(c.List(c.Context(), "nowhere")); len(found) != 0 {
		c.Fatalf("listed %v", found)
	}
	r := objectRequest("log/checkpoint", "first")
	r.IfMatch = strings.Repeat("0", 32)
	_, _, err = c.Put(c.Context(), r)
	c.wantError(err, store.ErrNotFound)

	// A version of one key is not a version of another.
	object := c.create(objectRequest("here", "bytes"))
	c.create(objectRequest("there", "bytes"))
	_, err = c.Head(c.Context(), "there", object.VersionID)
	c.wantError(err, store.ErrNotFound)
	_, _, err = c.Get(c.Context(), "there", object.VersionID)
	c.wantError(err, store.ErrNotFound)
}

func (c bucketContract) replacement() {
	const key = "p/log/checkpoint"
	first := c.create(objectRequest(key, "one"))
	r := objectRequest(key, "two")
	r.IfMatch = first.ETag
	second := c.create(r)
	if second.VersionID == first.VersionID {
		c.Fatal("no new version")
	}
	stale := objectRequest(key, "three")
	stale.IfMatch = first.ETag
	_, _, err := c.Put(c.Context(), stale)
	c.wantError(err, store.ErrExists)

	// The writer whose answer was lost tries again.
	r = objectRequest(key, "two")
	r.IfMatch = first.ETag
	again, created, err := c.Put(c.Context(), r)
	if err != nil || created || again.VersionID != second.VersionID {
		c.Fatalf("%+v, created %t, %v", again, created, err)
	}

	for versionID, want := range map[string]string{"": "two", first.VersionID: "one", second.VersionID: "two"} {
		if text, _ := c.read(key, versionID); text != want {
			c.Errorf("version %q is %q, want %q", versionID, text, want)
		}
	}
	versions := c.collect(c.ListVersions(c.Context(), "p/"))
	if len(versions) != 2 || versions[0].VersionID != second.VersionID || !versions[0].Latest || versions[1].VersionID != first.VersionID || versions[1].Latest {
		c.Fatalf("versions %+v", versions)
	}
	if objects := c.collect(c.List(c.Context(), "p/")); len(objects) != 1 || objects[0].ETag != second.ETag {
		c.Fatalf("objects %+v", objects)
	}
}

func (c bucketContract) locks() {
	location := c.Location()
	put := c.create(objectRequest("locked", "bytes"))
	r := objectRequest("p/log/checkpoint", "bytes")
	r.Unlocked = true
	unlocked := c.create(r)
	if unlocked.LockMode != "" || !unlocked.RetainUntil.IsZero() {
		c.Fatalf("unlocked object has %q until %s", unlocked.LockMode, unlocked.RetainUntil)
	}
	if location.LockDays == 0 {
		if put.LockMode != "" || !put.RetainUntil.IsZero() {
			c.Fatalf("object has %q until %s without a lock", put.LockMode, put.RetainUntil)
		}
		return
	}
	head, err := c.Head(c.Context(), "locked", "")
	if err != nil {
		c.Fatal(err)
	}
	want := time.Now().AddDate(0, 0, location.LockDays)
	for name, object := range map[string]store.Object{"Put": put, "Head": head} {
		if object.LockMode != location.LockMode || object.RetainUntil.Sub(want).Abs() > time.Minute {
			c.Errorf("%s: %q until %s", name, object.LockMode, object.RetainUntil)
		}
	}
	if !put.RetainUntil.Equal(head.RetainUntil) {
		c.Errorf("Put says until %s, Head %s", put.RetainUntil, head.RetainUntil)
	}
}
