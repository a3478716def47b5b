package worker

import "testing"

// Without telemetry a span costs nothing that a run would notice.
func TestSpansCostNothingWhenNobodyTraces(t *testing.T) {
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		_, span := startSpan(ctx, spanFetch)
		describeUser(span, "s", ending{}, 1)
		endSpan(span, nil)
	}); n != 0 {
		t.Errorf("%v allocations for a span that nobody sees", n)
	}
}

func BenchmarkSpanNobodySees(b *testing.B) {
	ctx := b.Context()
	for b.Loop() {
		_, span := startSpan(ctx, spanFetch)
		endSpan(span, nil)
	}
}
