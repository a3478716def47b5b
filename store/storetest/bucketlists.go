package storetest

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
)

func (c bucketContract) order() {
	keys := []string{"a/b", "a-b", "a0", "a/c.c", "a/b/c", "B", "a/B", "z", "a"}
	// A key cannot be both an object and the folder of another on every service.
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return slices.ContainsFunc(keys, func(other string) bool { return strings.HasPrefix(other, key+"/") })
	})
	for _, key := range keys {
		c.create(objectRequest(key, key))
	}
	slices.Sort(keys)
	within := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !strings.HasPrefix(key, "a/") })
	for prefix, want := range map[string][]string{"": keys, "a/": within} {
		if got := objectKeys(c.collect(c.List(c.Context(), prefix))); !slices.Equal(got, want) {
			c.Errorf("prefix %q: objects %q, want %q", prefix, got, want)
		}
		if got := objectKeys(c.collect(c.ListVersions(c.Context(), prefix))); !slices.Equal(got, want) {
			c.Errorf("prefix %q: versions %q, want %q", prefix, got, want)
		}
	}
	for range c.List(c.Context(), "") {
		break // a caller may stop
	}
}

func objectKeys(objects []store.Object) []string {
	keys := make([]string, len(objects))
	for i, object := range objects {
		keys[i] = object.Key
	}
	return keys
}

func (c bucketContract) pages() {
	const n = 1100 // S3 has 1,000 a page
	want := make([]string, n)
	var writers errgroup.Group
	writers.SetLimit(16)
	for i := range want {
		want[i] = fmt.Sprintf("many/%05d", i)
		writers.Go(func() error {
			_, _, err := c.Put(c.Context(), objectRequest(want[i], "x"))
			return err
		})
	}
	if err := writers.Wait(); err != nil {
		c.Fatal(err)
	}
	if got := objectKeys(c.collect(c.List(c.Context(), "many/"))); !slices.Equal(got, want) {
		c.Errorf("%d objects listed, want %d, each once and in order", len(got), n)
	}
	if got := objectKeys(c.collect(c.ListVersions(c.Context(), "many/"))); !slices.Equal(got, want) {
		c.Errorf("%d versions listed, want %d, each once and in order", len(got), n)
	}
}
