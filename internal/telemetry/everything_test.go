package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens"
	"vlens-archiver/worker"
)

func start(t *testing.T, config Config) *Telemetry {
	t.Helper()
	config.Archive, config.Process = "acme.example/archive", "pod-1"
	config.Tool = manifest.Tool{Version: "v1", Commit: "c1"}
	config.Log = slog.New(slog.DiscardHandler)
	measuring, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { measuring.Close(t.Context()) })
	return measuring
}

// calls are a ledger and a bucket that do nothing and fail when told to.
type calls struct {
	worker.Ledger
	worker.Bucket
	err error
}

func (c *calls) Commit(context.Context, string, store.Result) error { return c.err }

func (c *calls) Put(context.Context, store.PutRequest) (store.Object, bool, error) {
	return store.Object{}, true, c.err
}

// family is a metric as Prometheus sees it.
type family struct {
	kind   string
	labels []string
}

// everything is the page of a process in which everything that is measured has
// happened, by the names of the metrics.
func everything(t *testing.T) map[string]family {
	t.Helper()
	measuring := start(t, Config{MetricsListen: "127.0.0.1:0"})
	_, end := measuring.Begin(t.Context(), store.Run{ID: "r", Kind: store.RunManual})
	end(store.RunClosed, 0)
	services := &calls{}
	parts := measuring.Measure(worker.Parts{Ledger: services, Bucket: services})
	for _, err := range []error{nil, errors.New("away")} {
		services.err = err
		_ = parts.Ledger.Commit(t.Context(), "p", store.Result{Outcome: store.OutcomeArchived})
		_, _, _ = parts.Bucket.Put(t.Context(), store.PutRequest{})
	}
	measuring.work.request(vlens.RequestInfo{Endpoint: vlens.EndpointImage, Status: 200, Duration: time.Second})
	measuring.Follow(t.Context(), Sources{
		Figures: func(context.Context) (store.Figures, error) {
			return store.Figures{At: time.Now(), Verified: store.VerifiedFigures{Findings: map[string]int64{"missing": 1}}}, nil
		},
		Quota: func(context.Context) (store.QuotaUse, error) {
			return store.QuotaUse{PerSecond: 5, PerMinute: 40, RunPerMinute: 10}, nil
		},
	})(t.Context())
	return families(t, page(t, measuring.server.Address()))
}

func page(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	typeLine  = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
	labelName = regexp.MustCompile(`([a-z_]+)="`)
)

// families reads the page; le belongs to a histogram and is none of its labels.
func families(t *testing.T, page string) map[string]family {
	t.Helper()
	found := make(map[string]family)
	for _, line := range typeLine.FindAllStringSubmatch(page, -1) {
		labels := make(map[string]bool)
		for sample := range strings.Lines(page) {
			name, rest, _ := strings.Cut(sample, "{")
			if name != line[1] && (line[2] != "histogram" || name != line[1]+"_bucket") {
				continue
			}
			for _, label := range labelName.FindAllStringSubmatch(rest, -1) {
				labels[label[1]] = label[1] != "le"
			}
		}
		delete(labels, "le")
		found[line[1]] = family{line[2], slices.Sorted(maps.Keys(labels))}
	}
	if len(found) < 20 {
		t.Fatalf("%d metrics on the page:\n%s", len(found), page)
	}
	return found
}
