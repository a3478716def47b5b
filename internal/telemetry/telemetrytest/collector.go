// Package telemetrytest is an OpenTelemetry collector for tests: it takes OTLP by
// gRPC and by HTTP, and keeps what it got.
//
// Production code must not import this package.
package telemetrytest

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	metricscollector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Collector takes what is pushed to it. It ends with the test.
type Collector struct {
	metricscollector.UnimplementedMetricsServiceServer
	// GRPC and HTTP are the URLs to configure.
	GRPC, HTTP string

	mu      sync.Mutex
	metrics []*metricspb.ResourceMetrics
	spans   []*tracepb.ResourceSpans
	raw     bytes.Buffer
	headers http.Header
	refuse  error // answered instead of taking anything
}

// NewCollector starts a collector on loopback.
func NewCollector(t *testing.T) *Collector {
	t.Helper()
	c := &Collector{headers: http.Header{}}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	metricscollector.RegisterMetricsServiceServer(server, c)
	tracecollector.RegisterTraceServiceServer(server, traceService{collector: c})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	c.GRPC = "http://" + listener.Addr().String()

	pages := http.NewServeMux()
	pages.HandleFunc("POST /otlp/v1/metrics", func(w http.ResponseWriter, r *http.Request) {
		var request metricscollector.ExportMetricsServiceRequest
		c.answer(w, r, &request, func() (proto.Message, error) { return c.Export(r.Context(), &request) })
	})
	pages.HandleFunc("POST /otlp/v1/traces", func(w http.ResponseWriter, r *http.Request) {
		var request tracecollector.ExportTraceServiceRequest
		c.answer(w, r, &request, func() (proto.Message, error) { return c.takeSpans(&request) })
	})
	web := httptest.NewServer(pages)
	t.Cleanup(web.Close)
	c.HTTP = web.URL + "/otlp"
	return c
}

// answer takes one request by HTTP.
func (c *Collector) answer(w http.ResponseWriter, r *http.Request, request proto.Message, take func() (proto.Message, error)) {
	c.mu.Lock()
	c.headers = r.Header.Clone()
	c.mu.Unlock()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = plain
	}
	text, err := io.ReadAll(body)
	if err == nil {
		err = proto.Unmarshal(text, request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	response, err := take()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	reply, _ := proto.Marshal(response)
	_, _ = w.Write(reply)
}

// Refuse makes the collector answer with the error from now on.
func (c *Collector) Refuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = err
}

// Export takes metrics.
func (c *Collector) Export(_ context.Context, request *metricscollector.ExportMetricsServiceRequest) (*metricscollector.ExportMetricsServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return nil, c.refuse
	}
	c.keep(request)
	c.metrics = append(c.metrics, request.GetResourceMetrics()...)
	return &metricscollector.ExportMetricsServiceResponse{}, nil
}

type traceService struct {
	tracecollector.UnimplementedTraceServiceServer
	collector *Collector
}

// Export takes spans.
func (s traceService) Export(_ context.Context, request *tracecollector.ExportTraceServiceRequest) (*tracecollector.ExportTraceServiceResponse, error) {
	return s.collector.takeSpans(request)
}

func (c *Collector) takeSpans(request *tracecollector.ExportTraceServiceRequest) (*tracecollector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return nil, c.refuse
	}
	c.keep(request)
	c.spans = append(c.spans, request.GetResourceSpans()...)
	return &tracecollector.ExportTraceServiceResponse{}, nil
}

// keep keeps the bytes of a request; strings stand in them as they are.
func (c *Collector) keep(request proto.Message) {
	body, _ := proto.Marshal(request)
	c.raw.Write(body)
}

// Raw is every byte that was pushed.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// Header is a header of the last request by HTTP.
func (c *Collector) Header(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.headers.Get(name)
}
