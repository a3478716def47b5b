package storetest

import (
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
)

// race lets n writers put to one key at once and tells how many created it and
// how many were refused.
func (c bucketContract) race(n int, body func(i int) string) (created, refused int) {
	c.Helper()
	type result struct {
		created bool
		err     error
	}
	results := make([]result, n)
	start := make(chan struct{})
	var writers errgroup.Group
	for i := range results {
		writers.Go(func() error {
			<-start
			_, results[i].created, results[i].err = c.Put(c.Context(), objectRequest("contested", body(i)))
			return nil
		})
	}
	close(start)
	_ = writers.Wait() // the results are looked at one by one
	for i, r := range results {
		switch {
		case errors.Is(r.err, store.ErrExists):
			refused++
		case r.err != nil:
			c.Fatal(r.err)
		case r.created:
			created++
			if text, _ := c.read("contested", ""); text != body(i) {
				c.Errorf("the bucket holds %q, the writer that created it wrote %q", text, body(i))
			}
		}
	}
	if versions := c.collect(c.ListVersions(c.Context(), "contested")); len(versions) != 1 {
		c.Errorf("%d versions", len(versions))
	}
	return created, refused
}

func (c bucketContract) equalWriters() {
	if created, refused := c.race(16, func(int) string { return strings.Repeat("x", 100_000) }); created != 1 || refused != 0 {
		c.Fatalf("%d created, %d refused; want 1 and 0", created, refused)
	}
}

func (c bucketContract) differentWriters() {
	if created, refused := c.race(16, func(i int) string { return strings.Repeat(string(rune('a'+i)), 100_000) }); created != 1 || refused != 15 {
		c.Fatalf("%d created, %d refused; want 1 and 15", created, refused)
	}
}
