package vlens_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"vlens-archiver/vlens"
)

// Every call has an id of its own, and what is made of the answer names it and the
// answer's date.
func TestProvenance(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, once)
		var traced []string
		ctx := vlens.WithTrace(t.Context(), func(i vlens.RequestInfo) { traced = append(traced, i.RequestID) })
		listed, err := c.List(ctx, phone)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		image, err := c.Image(ctx, wanted)
		if err != nil {
			t.Fatal(err)
		}
		image.Release()
		v.Image = says(500, "")
		_, err = c.Image(ctx, wanted)
		fault, _ := errors.AsType[*vlens.Error](err)
		if fault == nil {
			t.Fatal(err)
		}
		requests := v.seen("")
		seen := map[string]bool{}
		for n, r := range requests {
			id := r.header.Get("X-Request-Id")
			if _, err := uuid.Parse(id); err != nil || seen[id] || traced[n] != id {
				t.Errorf("request %d has the id %q, traced as %q", n, id, traced[n])
			}
			seen[id] = true
		}
		for n, got := range map[int]vlens.Provenance{1: listed.Provenance, 2: image.Provenance, 3: fault.Provenance} {
			if got.RequestID != requests[n].header.Get("X-Request-Id") || got.VendorDate.Unix() != requests[n].at.Unix() {
				t.Errorf("request %d: %+v, sent as %s at %s", n, got, requests[n].header.Get("X-Request-Id"), requests[n].at)
			}
		}
	})
}
