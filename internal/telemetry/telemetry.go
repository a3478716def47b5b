package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"vlens-archiver/internal/listen"
	"vlens-archiver/store/manifest"
)

const (
	// pushEvery is the time between two pushes of the metrics.
	pushEvery = 15 * time.Second
	// pushTimeout bounds one push, and with it what leaving waits for a collector.
	pushTimeout = 3 * time.Second
)

// EndTimeout bounds what is still read, pushed and answered when a process ends.
const EndTimeout = lastReadTimeout + pushTimeout + listen.CloseTimeout

// scope is the instrumentation scope of metrics and traces.
const scope = "vlens-archiver"

// Config says what is measured, and where the measurements go.
type Config struct {
	OTLPEndpoint  string // URL; "" pushes nothing
	MetricsListen string // host:port; "" serves nothing
	// Archive names the archive, in all its processes alike.
	Archive string
	// Process names this process, and no other.
	Process string
	Tool    manifest.Tool
	Log     *slog.Logger
}

// Telemetry measures one process. A nil *Telemetry measures nothing: all its
// methods may be called. Its owner closes it.
type Telemetry struct {
	config    Config
	failures  *failureLog
	collector *collector   // nil when nothing is pushed
	work      *work        // what this process does
	archive   *archive     // where the archive stands
	tracer    trace.Tracer // nil without a collector
	sampler   userSampler
	server    *listen.Server
	// shutdown sends what was not sent yet.
	shutdown []func(context.Context) error
	push     []func(context.Context) error // sends the metrics now
}

// Start begins to measure; it is nil when the configuration asks for nothing. It
// connects to nothing yet: the first push finds out whether the collector is there.
// An address that cannot be listened on is listen.ErrAddress.
func Start(ctx context.Context, config Config) (*Telemetry, error) {
	if config.OTLPEndpoint == "" && config.MetricsListen == "" {
		return nil, nil
	}
	t := &Telemetry{config: config, failures: &failureLog{log: config.Log}}
	// The SDK would write to stderr, in the middle of the log.
	otel.SetErrorHandler(t.failures)
	registry := prometheus.NewRegistry()
	if config.MetricsListen != "" {
		server, err := listen.Open(ctx, "telemetry.metrics_listen", config.MetricsListen, metricsPage(registry))
		if err != nil {
			return nil, err
		}
		t.server = server
	}
	if err := t.open(ctx, registry); err != nil {
		t.Close(ctx)
		return nil, fmt.Errorf("start telemetry: %w", err)
	}
	return t, nil
}

func (t *Telemetry) open(ctx context.Context, registry *prometheus.Registry) error {
	if t.config.OTLPEndpoint != "" {
		endpoint, err := url.Parse(t.config.OTLPEndpoint)
		if err != nil {
			return err
		}
		t.collector = &collector{endpoint, t.failures}
		exporter, err := t.collector.traces(ctx)
		if err != nil {
			return fmt.Errorf("telemetry.otlp_endpoint: %w", err)
		}
		traces := sdktrace.NewTracerProvider(
			sdktrace.WithResource(t.resource(t.config.Process)),
			sdktrace.WithSampler(&t.sampler),
			sdktrace.WithIDGenerator(runIDs{archive: t.config.Archive}),
			sdktrace.WithBatcher(exporter, sdktrace.WithExportTimeout(pushTimeout)),
		)
		t.tracer = traces.Tracer(scope, trace.WithInstrumentationVersion(t.config.Tool.Version))
		t.shutdown = append(t.shutdown, traces.Shutdown)
	}

	// Two providers, since there are two resources: this process, and the archive,
	// for which all processes continue the same series.
	ofProcess, err := t.provider(ctx, registry, t.resource(t.config.Process))
	if err != nil {
		return err
	}
	if t.work, err = newWork(ofProcess.Meter(scope), t.config.Tool); err != nil {
		return err
	}
	ofArchive, err := t.provider(ctx, registry, t.resource("archive"))
	if err != nil {
		return err
	}
	t.archive, err = newArchive(ofArchive.Meter(scope))
	return err
}

func (t *Telemetry) provider(ctx context.Context, registry *prometheus.Registry, of *resource.Resource) (*sdkmetric.MeterProvider, error) {
	options := []sdkmetric.Option{sdkmetric.WithResource(of), sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter)}
	if t.collector != nil {
		exporter, err := t.collector.metrics(ctx)
		if err != nil {
			return nil, fmt.Errorf("telemetry.otlp_endpoint: %w", err)
		}
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter,
			sdkmetric.WithInterval(pushEvery), sdkmetric.WithTimeout(pushTimeout))))
	}
	if t.server != nil {
		exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
		if err != nil {
			return nil, err
		}
		options = append(options, sdkmetric.WithReader(exporter))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	t.shutdown = append(t.shutdown, provider.Shutdown)
	t.push = append(t.push, provider.ForceFlush)
	return provider, nil
}

func metricsPage(registry *prometheus.Registry) http.Handler {
	pages := http.NewServeMux()
	pages.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return pages
}

// Close sends what is still to be sent and ends the measuring, also when ctx has
// ended. It takes pushTimeout at most, and a second for requests to the page.
func (t *Telemetry) Close(ctx context.Context) {
	if t == nil {
		return
	}
	if t.server != nil {
		t.server.Close(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pushTimeout)
	defer cancel()
	inParallel(ctx, t.shutdown)
}

// pushNow sends the metrics before the next pushEvery is over.
func (t *Telemetry) pushNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	inParallel(ctx, t.push)
}

// inParallel calls all and waits. The exporters log what fails.
func inParallel(ctx context.Context, all []func(context.Context) error) {
	var group sync.WaitGroup
	for _, do := range all {
		group.Go(func() { _ = do(ctx) })
	}
	group.Wait()
}
