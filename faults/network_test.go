package faults_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/worker"
)

// proxied is a proxy in front of one of a tenant's services.
type proxied struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

func newProxied(t *testing.T, upstream string) *proxied {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxics log through the global logger
	log := zerolog.Nop()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), log)
	proxy := toxiproxy.NewProxy(server, "service", "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return &proxied{t: t, proxy: proxy}
}

// poison adds a toxic of a type to what the service answers.
func (p *proxied) poison(kind string, attributes map[string]any) {
	body, err := json.Marshal(map[string]any{"name": "toxic", "type": kind, "stream": "downstream", "attributes": attributes})
	if err == nil {
		_, err = p.proxy.Toxics.AddToxicJson(strings.NewReader(string(body)))
	}
	if err != nil {
		p.t.Error(err)
	}
}

func (p *proxied) heal() { p.proxy.Toxics.ResetToxics(context.WithoutCancel(p.t.Context())) }

// cut closes the port and all connections; back opens the port again.
func (p *proxied) cut() { p.proxy.Stop() }

func (p *proxied) back() {
	if err := p.proxy.Start(); err != nil {
		p.t.Error(err)
	}
}

// The services of a tenant that a proxy can stand before. Through gives the
// proxy and tells the tenant's processes of it.
var services = map[string]func(tn *archivetest.Tenant) *proxied{
	"ledger and source": func(tn *archivetest.Tenant) *proxied {
		p := newProxied(tn.T, tn.Postgres.Addr())
		base := "postgres://postgres@" + p.proxy.Listen + "/"
		tn.SourceURL, tn.LedgerURL = base+"source", base+"ledger"
		return p
	},
	"bucket": func(tn *archivetest.Tenant) *proxied {
		p := newProxied(tn.T, hostOf(tn.T, tn.S3URL))
		tn.S3URL = "http://" + p.proxy.Listen
		return p
	},
	"vendor": func(tn *archivetest.Tenant) *proxied {
		p := newProxied(tn.T, hostOf(tn.T, tn.VendorURL))
		tn.VendorURL = "http://" + p.proxy.Listen
		return p
	},
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host
}

// TestNetworkTrouble troubles the connections to each service in the middle of a
// run and mends them: the run must go on by itself and archive everything.
func TestNetworkTrouble(t *testing.T) {
	t.Parallel()
	const users = 40
	troubles := map[string]func(p *proxied) (mend func()){
		"latency": func(p *proxied) func() {
			p.poison("latency", map[string]any{"latency": 60, "jitter": 40})
			return p.heal
		},
		"bandwidth": func(p *proxied) func() {
			p.poison("bandwidth", map[string]any{"rate": 200}) // KB/s
			return p.heal
		},
		"reset": func(p *proxied) func() {
			p.poison("reset_peer", map[string]any{"timeout": 20})
			return p.heal
		},
		"half-open": func(p *proxied) func() {
			p.poison("timeout", map[string]any{"timeout": 0}) // swallows all, closes nothing
			return func() {
				p.heal()
				// A host that is gone and comes back resets what it does not know.
				p.cut()
				p.back()
			}
		},
		"cut": func(p *proxied) func() {
			p.cut()
			return p.back
		},
	}
	for service, through := range services {
		for trouble, begin := range troubles {
			name := service + " " + trouble
			if !long && !shortTroubles[name] {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tn := archivetest.NewTenantAlone(t, tenantOf(users))
				proxy := through(tn)
				p := tn.Process("nightly", func(config *worker.Config) { config.Concurrency = 8 })
				defer p.Close()
				done := make(chan struct{})
				go func() {
					defer close(done)
					p.WaitForUsers(users / 8)
					mend := begin(proxy)
					pause(t.Context(), 1500*time.Millisecond)
					mend()
				}()
				report, err := p.Run(t.Context(), t.Context())
				select {
				case <-done:
				default:
					if trouble != "latency" && trouble != "bandwidth" {
						t.Error("the run was over before the trouble was")
					}
					<-done
				}
				if err != nil || report.WorkLeft || report.Totals.Outcomes["archived"] != users {
					t.Errorf("the run ended with %v, outcomes %v, failures %v\n%s", err, report.Totals.Outcomes, report.Totals.Failures, tn.Log)
				}
				tn.CheckWhole(users)
				checkRunFiles(tn)
			})
		}
	}
}

// shortTroubles are those of the short form: the worst for each service.
var shortTroubles = map[string]bool{"ledger and source cut": true, "bucket reset": true, "vendor half-open": true, "vendor cut": true}

func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
