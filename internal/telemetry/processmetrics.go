package telemetry

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens"
)

// answer is how one request to Vlens ended.
type answer struct {
	endpoint vlens.Endpoint
	status   int // 0 without a response
	fault    vlens.Fault
}

func (a answer) labels() metric.MeasurementOption {
	status, fault := "none", "none"
	if a.status != 0 {
		status = strconv.Itoa(a.status)
	}
	if a.fault != "" {
		fault = string(a.fault)
	}
	return metric.WithAttributes(
		attribute.String("endpoint", string(a.endpoint)), attribute.String("status", status), attribute.String("fault", fault))
}

// work is what this process has done.
type work struct {
	runs     metric.Int64Counter
	users    metric.Int64Counter
	failures metric.Int64Counter
	images   metric.Int64Counter
	bytes    metric.Int64Counter
	requests metric.Int64Counter

	requestSeconds metric.Float64Histogram
	putSeconds     metric.Float64Histogram
	commitSeconds  metric.Float64Histogram
}

func newWork(meter metric.Meter, tool manifest.Tool) (*work, error) {
	m := &instruments{Meter: meter}
	w := &work{
		runs:     m.counter("vlens_archiver.runs", "{run}", "Runs that this process took part in and left, by their status then and its exit code."),
		users:    m.counter("vlens_archiver.users", "{user}", "Users done, by outcome."),
		failures: m.counter("vlens_archiver.user.failures", "{user}", "Users done as failed or partial, by class."),
		images:   m.counter("vlens_archiver.images", "{image}", "Images archived."),
		bytes:    m.counter("vlens_archiver.image.bytes", "By", "Bytes of the images archived."),
		requests: m.counter("vlens_archiver.requests", "{request}", "Requests to Vlens, by endpoint, HTTP status and fault."),

		requestSeconds: m.latency("vlens_archiver.request.duration", "Duration of requests to Vlens, without the wait for the quota, by endpoint."),
		putSeconds:     m.latency("vlens_archiver.bucket.put.duration", "Duration of writes to the bucket, the SDK's retries included, by result."),
		commitSeconds:  m.latency("vlens_archiver.ledger.commit.duration", "Duration of the ledger write that ends a user, by result."),
	}
	build := m.gauge("vlens_archiver.build_info", "", "Always 1; says which build this is.")
	built := metric.WithAttributes(
		attribute.String("version", tool.Version), attribute.String("commit", tool.Commit), attribute.String("go_version", runtime.Version()))
	m.read(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(build, 1, built)
		return nil
	}, build)
	if m.err != nil {
		return nil, m.err
	}
	w.startAtZero()
	return w, nil
}

// startAtZero lets every series that is known beforehand begin at 0, so that a
// rise from nothing is seen as one.
func (w *work) startAtZero() {
	ctx := context.Background()
	for _, outcome := range store.Outcomes {
		w.users.Add(ctx, 0, label("outcome", string(outcome)))
	}
	for _, class := range store.Classes {
		w.failures.Add(ctx, 0, label("class", string(class.Class)))
	}
	w.images.Add(ctx, 0)
	w.bytes.Add(ctx, 0)
	for _, endpoint := range []vlens.Endpoint{vlens.EndpointLogin, vlens.EndpointRefresh, vlens.EndpointList, vlens.EndpointImage} {
		w.requests.Add(ctx, 0, answer{endpoint: endpoint, status: 200}.labels())
		w.requests.Add(ctx, 0, answer{endpoint: endpoint, status: 429, fault: vlens.FaultThrottled}.labels())
	}
}

// request counts one request to Vlens.
func (w *work) request(info vlens.RequestInfo) {
	ctx := context.Background()
	w.requests.Add(ctx, 1, answer{info.Endpoint, info.Status, info.Fault}.labels())
	w.requestSeconds.Record(ctx, info.Duration.Seconds(), label("endpoint", string(info.Endpoint)))
}

// put notes one write to the bucket.
func (w *work) put(began time.Time, created bool, err error) {
	result := "exists"
	switch {
	case err != nil:
		result = "failed"
	case created:
		result = "created"
	}
	w.putSeconds.Record(context.Background(), time.Since(began).Seconds(), label("result", result))
}

// commit notes one ledger write, and counts the user and the images once the
// ledger has them: what is counted here is what the ledger adds up to.
func (w *work) commit(began time.Time, done store.Result, err error) {
	result := "committed"
	if err != nil {
		result = "failed"
	}
	ctx := context.Background()
	w.commitSeconds.Record(ctx, time.Since(began).Seconds(), label("result", result))
	if err != nil {
		return
	}
	w.users.Add(ctx, 1, label("outcome", string(done.Outcome)))
	if done.Outcome.Incomplete() {
		w.failures.Add(ctx, 1, label("class", string(done.Class)))
	}
	var images, bytes int64
	for _, image := range done.Images {
		if image.State == store.ImageStored {
			images++
			bytes += image.Bytes
		}
	}
	w.images.Add(ctx, images)
	w.bytes.Add(ctx, bytes)
}

// runOver counts a run that this process leaves.
func (w *work) runOver(kind store.RunKind, status string, exitCode int) {
	w.runs.Add(context.Background(), 1, metric.WithAttributes(
		attribute.String("kind", string(kind)), attribute.String("status", status), attribute.String("exit_code", strconv.Itoa(exitCode))))
}
