package telemetry

import (
	"context"
	"errors"
	"fmt"
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

// exporters send to one collector; nil ones send nothing.
type exporters struct {
	metrics *metricExporter
	traces  *traceExporter
}

// openExporters chooses the protocol: HTTP with protobuf when the URL has the
// port 4318 or a path, under which v1/metrics and v1/traces are; else gRPC. With
// https either is encrypted. Nothing is connected to yet.
//
// The exporters also read OpenTelemetry's environment variables, such as
// OTEL_EXPORTER_OTLP_HEADERS for a token and OTEL_EXPORTER_OTLP_CERTIFICATE.
func openExporters(ctx context.Context, collector string, failures *failureLog) (exporters, error) {
	endpoint, err := url.Parse(collector)
	if err != nil {
		return exporters{}, err
	}
	open := openGRPC
	if endpoint.Port() == httpPort || strings.Trim(endpoint.Path, "/") != "" {
		open = openHTTP
	}
	metrics, traces, err := open(ctx, endpoint)
	if err != nil {
		return exporters{}, fmt.Errorf("telemetry.otlp_endpoint: %w", err)
	}
	return exporters{&metricExporter{metrics, failures}, &traceExporter{traces, failures}}, nil
}

func openGRPC(ctx context.Context, endpoint *url.URL) (sdkmetric.Exporter, sdktrace.SpanExporter, error) {
	target := endpoint.Scheme + "://" + endpoint.Host
	metrics, err := otlpmetricgrpc.New(ctx,
		otlpmetricgrpc.WithEndpointURL(target), otlpmetricgrpc.WithTimeout(pushTimeout),
		otlpmetricgrpc.WithRetry(pushRetry))
	if err != nil {
		return nil, nil, err
	}
	traces, err := otlptracegrpc.New(ctx,
		otlptracegrpc.WithEndpointURL(target), otlptracegrpc.WithTimeout(pushTimeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig(pushRetry)))
	return metrics, traces, err
}

func openHTTP(ctx context.Context, endpoint *url.URL) (sdkmetric.Exporter, sdktrace.SpanExporter, error) {
	metrics, err := otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL(endpoint.JoinPath("v1/metrics").String()), otlpmetrichttp.WithTimeout(pushTimeout),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig(pushRetry)))
	if err != nil {
		return nil, nil, err
	}
	traces, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint.JoinPath("v1/traces").String()), otlptracehttp.WithTimeout(pushTimeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig(pushRetry)))
	return metrics, traces, err
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

// metricExporter is shared by two readers; close ends it.
type metricExporter struct {
	sdkmetric.Exporter
	failures *failureLog
}

// Export pushes metrics.
func (e *metricExporter) Export(ctx context.Context, metrics *metricdata.ResourceMetrics) error {
	return e.failures.swallow(ctx, e.Exporter.Export(ctx, metrics))
}

// Shutdown does nothing: the other reader may still need it.
func (e *metricExporter) Shutdown(context.Context) error { return nil }

func (e *metricExporter) close(ctx context.Context) error { return e.Exporter.Shutdown(ctx) }

type traceExporter struct {
	sdktrace.SpanExporter
	failures *failureLog
}

// ExportSpans pushes spans.
func (e *traceExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	return e.failures.swallow(ctx, e.SpanExporter.ExportSpans(ctx, spans))
}
