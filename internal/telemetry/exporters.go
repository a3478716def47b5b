package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// httpPort is the port that the OTLP specification gives to OTLP over HTTP; 4317
// is that of gRPC.
const httpPort = "4318"

// pushRetry is when a push that failed is tried again, as long as it has time.
// The four exporters have a type each for the same fields.
var pushRetry = otlpmetricgrpc.RetryConfig{
	Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: pushTimeout,
}

// collector is where telemetry is pushed to: over HTTP with protobuf when its URL
// has the port 4318 or a path, under which v1/metrics and v1/traces are; else over
// gRPC. With https either is encrypted.
//
// The exporters also read OpenTelemetry's environment variables, such as
// OTEL_EXPORTER_OTLP_HEADERS for a token and OTEL_EXPORTER_OTLP_CERTIFICATE.
type collector struct {
	endpoint *url.URL
	failures *failureLog
}

func (c collector) overHTTP() bool {
	return c.endpoint.Port() == httpPort || strings.Trim(c.endpoint.Path, "/") != ""
}

// metrics opens an exporter. Nothing is connected to yet.
func (c collector) metrics(ctx context.Context) (exporter sdkmetric.Exporter, err error) {
	if c.overHTTP() {
		exporter, err = otlpmetrichttp.New(ctx,
			otlpmetrichttp.WithEndpointURL(c.endpoint.JoinPath("v1/metrics").String()), otlpmetrichttp.WithTimeout(pushTimeout),
			otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig(pushRetry)))
	} else {
		exporter, err = otlpmetricgrpc.New(ctx,
			otlpmetricgrpc.WithEndpointURL(c.endpoint.Scheme+"://"+c.endpoint.Host), otlpmetricgrpc.WithTimeout(pushTimeout),
			otlpmetricgrpc.WithRetry(pushRetry))
	}
	return metricExporter{exporter, c.failures}, err
}

// traces opens an exporter. Nothing is connected to yet.
func (c collector) traces(ctx context.Context) (exporter sdktrace.SpanExporter, err error) {
	if c.overHTTP() {
		exporter, err = otlptracehttp.New(ctx,
			otlptracehttp.WithEndpointURL(c.endpoint.JoinPath("v1/traces").String()), otlptracehttp.WithTimeout(pushTimeout),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig(pushRetry)))
	} else {
		exporter, err = otlptracegrpc.New(ctx,
			otlptracegrpc.WithEndpointURL(c.endpoint.Scheme+"://"+c.endpoint.Host), otlptracegrpc.WithTimeout(pushTimeout),
			otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig(pushRetry)))
	}
	return traceExporter{exporter, c.failures}, err
}

// failureLog logs the first failed delivery, and no other.
type failureLog struct {
	log  *slog.Logger
	once sync.Once
}

// Handle logs the error if it is the first. It makes a failureLog an
// otel.ErrorHandler.
func (l *failureLog) Handle(err error) {
	l.once.Do(func() {
		l.log.Warn("telemetry is not delivered; the run goes on without it, and this is not said again",
			"event", "telemetry_failed", "error", err.Error())
	})
}

// swallow logs the error of a push and returns nil: telemetry never fails the
// work that it measures. A push that was cancelled is no failure: the program is
// ending, and its last push follows.
func (l *failureLog) swallow(ctx context.Context, err error) error {
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		l.Handle(err)
	}
	return nil
}

type metricExporter struct {
	sdkmetric.Exporter
	failures *failureLog
}

// Export pushes metrics.
func (e metricExporter) Export(ctx context.Context, metrics *metricdata.ResourceMetrics) error {
	return e.failures.swallow(ctx, e.Exporter.Export(ctx, metrics))
}

type traceExporter struct {
	sdktrace.SpanExporter
	failures *failureLog
}

// ExportSpans pushes spans.
func (e traceExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	return e.failures.swallow(ctx, e.SpanExporter.ExportSpans(ctx, spans))
}
