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

// A push that fails is tried again after these waits, as long as it has time.
const (
	firstPushRetry = 200 * time.Millisecond
	lastPushRetry  = time.Second
)

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
func openExporters(ctx context.Context, collector string, warn *oneWarning) (exporters, error) {
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
	return exporters{&metricExporter{metrics, warn}, &traceExporter{traces, warn}}, nil
}

func openGRPC(ctx context.Context, endpoint *url.URL) (sdkmetric.Exporter, sdktrace.SpanExporter, error) {
	target := endpoint.Scheme + "://" + endpoint.Host
	metrics, err := otlpmetricgrpc.New(ctx,
		otlpmetricgrpc.WithEndpointURL(target), otlpmetricgrpc.WithTimeout(pushTimeout),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{Enabled: true, InitialInterval: firstPushRetry, MaxInterval: lastPushRetry, MaxElapsedTime: pushTimeout}))
	if err != nil {
		return nil, nil, err
	}
	traces, err := otlptracegrpc.New(ctx,
		otlptracegrpc.WithEndpointURL(target), otlptracegrpc.WithTimeout(pushTimeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: firstPushRetry, MaxInterval: lastPushRetry, MaxElapsedTime: pushTimeout}))
	return metrics, traces, err
}

func openHTTP(ctx context.Context, endpoint *url.URL) (sdkmetric.Exporter, sdktrace.SpanExporter, error) {
	metrics, err := otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL(endpoint.JoinPath("v1/metrics").String()), otlpmetrichttp.WithTimeout(pushTimeout),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: firstPushRetry, MaxInterval: lastPushRetry, MaxElapsedTime: pushTimeout}))
	if err != nil {
		return nil, nil, err
	}
	traces, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint.JoinPath("v1/traces").String()), otlptracehttp.WithTimeout(pushTimeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: firstPushRetry, MaxInterval: lastPushRetry, MaxElapsedTime: pushTimeout}))
	return metrics, traces, err
}

// oneWarning logs the first thing that goes wrong, and no other.
type oneWarning struct {
	log  *slog.Logger
	once sync.Once
}

// Handle takes what goes wrong; it makes a oneWarning an otel.ErrorHandler.
func (w *oneWarning) Handle(err error) {
	w.once.Do(func() {
		w.log.Warn("telemetry is not delivered; the run goes on without it, and this is not said again",
			"event", "telemetry_failed", "error", err.Error())
	})
}

// about takes the error of a push. Measuring never fails what is measured, and
// what was cut short is pushed again by who cut it.
func (w *oneWarning) about(ctx context.Context, err error) error {
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		w.Handle(err)
	}
	return nil
}

// metricExporter is shared by two readers; close ends it.
type metricExporter struct {
	sdkmetric.Exporter
	warn *oneWarning
}

// Export pushes metrics.
func (e *metricExporter) Export(ctx context.Context, metrics *metricdata.ResourceMetrics) error {
	return e.warn.about(ctx, e.Exporter.Export(ctx, metrics))
}

// Shutdown does nothing: the other reader may still need it.
func (e *metricExporter) Shutdown(context.Context) error { return nil }

func (e *metricExporter) close(ctx context.Context) error { return e.Exporter.Shutdown(ctx) }

type traceExporter struct {
	sdktrace.SpanExporter
	warn *oneWarning
}

// ExportSpans pushes spans.
func (e *traceExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	return e.warn.about(ctx, e.SpanExporter.ExportSpans(ctx, spans))
}
