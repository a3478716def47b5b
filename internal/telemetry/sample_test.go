package telemetry

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"vlens-archiver/worker"
)

func TestTheFirstUsersOfARunAndThenAShareAreTraced(t *testing.T) {
	t.Parallel()
	var sampler userSampler
	taken := func(parent context.Context, name string) bool {
		return sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: parent, Name: name}).Decision == sdktrace.RecordAndSample
	}
	within := func(flags trace.TraceFlags) context.Context {
		return trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags,
		}))
	}
	sampled, unsampled := within(trace.FlagsSampled), within(0)
	if !taken(t.Context(), worker.SpanRun) || !taken(sampled, "sync") || taken(unsampled, "fetch") {
		t.Error("a run and what is in it are traced; what is in a user who is not traced is not")
	}
	for run := range 2 {
		sampler.begin()
		n := 0
		for user := 1; user <= 100_000; user++ {
			if taken(sampled, worker.SpanUser) {
				n++
				if user > firstUsers && user%everyUser != 0 {
					t.Fatalf("user %d is traced", user)
				}
			} else if user <= firstUsers || user == everyUser {
				t.Fatalf("run %d: user %d is not traced", run, user)
			}
		}
		if n != mostUsers {
			t.Errorf("%d of 100,000 users are traced, want %d", n, mostUsers)
		}
	}
}

func TestTheTraceOfARunIsKnownFromItsName(t *testing.T) {
	t.Parallel()
	of := func(archive, run string) trace.TraceID {
		id, span := runIDs{archive}.NewIDs(context.WithValue(t.Context(), runKey{}, run))
		if !id.IsValid() || !span.IsValid() {
			t.Errorf("trace %s, span %s", id, span)
		}
		return id
	}
	first, second := of("a", "r"), of("a", "r")
	if first != second || first == of("a", "s") || first == of("b", "r") {
		t.Error("a trace belongs to one run of one archive")
	}
}
