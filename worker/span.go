package worker

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"vlens-archiver/store"
)

// The spans of a run's trace. SpanRun is the caller's; without one in the context
// nothing is traced.
const (
	SpanRun  = "run"
	SpanUser = "user"

	spanOpen    = "open"
	spanSync    = "sync"
	spanArchive = "archive"
	spanClose   = "close"
	spanSeal    = "seal"

	spanList   = "list"
	spanFetch  = "fetch"
	spanPut    = "put"
	spanRecord = "record"
	spanCommit = "commit"
)

// startSpan begins a span within the one in the context. Where that is not
// recorded, because nothing is or because the user is not among the sampled
// ones, it is returned itself, and ending it does nothing.
func startSpan(ctx context.Context, name string) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, parent
	}
	return parent.TracerProvider().Tracer("vlens-archiver/worker").Start(ctx, name)
}

// endSpan ends a span that startSpan began. Of an error it tells the class only:
// texts are for the log.
func endSpan(span trace.Span, err error) {
	if !span.IsRecording() {
		return
	}
	if err != nil {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(attribute.String("error.type", string(classOf(err))))
	}
	span.End()
}

// describeUser says on a user's span how the user ended.
func describeUser(span trace.Span, subject store.Subject, end ending, requests int) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(
		attribute.String("vlens_archiver.subject", string(subject)),
		attribute.String("vlens_archiver.outcome", string(end.outcome)),
		attribute.String("vlens_archiver.class", string(end.class)),
		attribute.Int64("vlens_archiver.bytes", end.bytes),
		attribute.Int("vlens_archiver.requests", requests),
	)
}
