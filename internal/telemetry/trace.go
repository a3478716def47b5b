package telemetry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
	"vlens-archiver/worker"
)

// Begin begins to measure this process's part in a run: what the worker does with
// the context it returns. The function ends that, with the status of the run then
// ("" when it was never opened) and the exit code.
func (t *Telemetry) Begin(ctx context.Context, run store.Run) (context.Context, func(status store.RunStatus, exitCode int)) {
	if t == nil {
		return ctx, func(store.RunStatus, int) {}
	}
	ctx = vlens.WithTrace(ctx, t.work.request)
	span := trace.SpanFromContext(ctx)
	if t.tracer != nil {
		t.sampler.begin()
		ctx, span = t.tracer.Start(context.WithValue(ctx, runKey{}, run.ID), worker.SpanRun, trace.WithNewRoot(), trace.WithAttributes(
			attribute.String("vlens_archiver.run.id", run.ID), attribute.String("vlens_archiver.run.kind", string(run.Kind))))
	}
	return ctx, func(status store.RunStatus, exitCode int) {
		if status == "" {
			status = "not_opened"
		}
		t.work.runOver(run.Kind, string(status), exitCode)
		span.SetAttributes(attribute.String("vlens_archiver.run.status", string(status)), attribute.Int("process.exit.code", exitCode))
		if exitCode != 0 {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

type runKey struct{}

// runIDs gives every process of a run the same trace.
type runIDs struct{ archive string }

// NewIDs makes the ids of a root span.
func (g runIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	run, _ := ctx.Value(runKey{}).(string)
	sum := sha256.Sum256([]byte(g.archive + "\n" + run))
	id := trace.TraceID(sum[:16])
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID makes the id of any other span.
func (runIDs) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	_, _ = rand.Read(id[:])
	return id
}

// The first users that a process has in a run are traced, and then one in so many,
// up to a number that trace stores still show.
const (
	firstUsers = 20
	everyUser  = 100
	mostUsers  = 500
)

// userSampler takes every span, but of the users' spans, with what is in them, only
// a few.
type userSampler struct{ users, sampled atomic.Int64 }

// begin begins to count the users of another run.
func (s *userSampler) begin() {
	s.users.Store(0)
	s.sampled.Store(0)
}

// ShouldSample decides about one span.
func (s *userSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	take := !parent.IsValid() || parent.IsSampled()
	if take && p.Name == worker.SpanUser {
		n := s.users.Add(1)
		take = (n <= firstUsers || n%everyUser == 0) && s.sampled.Add(1) <= mostUsers
	}
	decision := sdktrace.Drop
	if take {
		decision = sdktrace.RecordAndSample
	}
	return sdktrace.SamplingResult{Decision: decision, Tracestate: parent.TraceState()}
}

// Description names the sampler.
func (*userSampler) Description() string { return "UserSampler" }
