package vlens_test

import (
	"context"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

func TestTraceSeesEveryRequest(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		type seen struct {
			endpoint vlens.Endpoint
			status   int
			fault    vlens.Fault
		}
		var inner, outer []seen
		note := func(into *[]seen) func(vlens.RequestInfo) {
			return func(i vlens.RequestInfo) {
				if i.Duration <= 0 {
					t.Errorf("%s took %s", i.Endpoint, i.Duration)
				}
				*into = append(*into, seen{i.Endpoint, i.Status, i.Fault})
			}
		}
		ctx := vlens.WithTrace(vlens.WithTrace(t.Context(), note(&outer)), note(&inner))
		v.List = inTurn(says(500, ""), says(401, ""), delayed(time.Hour, nil), v.List)
		v.Image = says(200, imageText("Ynl0ZXM="))
		c := v.client(t, nil)
		if _, err := c.List(ctx, phone); err != nil {
			t.Fatal(err)
		}
		_, _ = c.Image(ctx, wanted)
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		_, _ = c.List(cancelled, phone) // sends nothing
		want := []seen{
			{"login", 200, ""},
			{"list", 500, vlens.FaultVendorError},
			{"list", 401, vlens.FaultUnauthorized},
			{"refresh", 200, ""},
			{"list", 0, vlens.FaultTimeout},
			{"list", 200, ""},
			{"image", 200, vlens.FaultNotAnImage},
		}
		for _, got := range [][]seen{inner, outer} {
			if len(got) != len(want) {
				t.Fatalf("saw %v", got)
			}
			for n := range want {
				if got[n] != want[n] {
					t.Errorf("request %d: %v, want %v", n, got[n], want[n])
				}
			}
		}
	})
}
