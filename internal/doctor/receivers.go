package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"
)

const adviseReceiver = "check the URL in %s, DNS, and the network policy's egress; archiving goes on without it"

// receiverChecks only connect: a request would be taken for a sign of life, or
// for a run's summary.
func receiverChecks() []check {
	var list []check
	for _, receiver := range []struct {
		key string
		url func(*examination) string
	}{
		{"evidence.timestamp_url", func(e *examination) string { return e.cfg.Evidence.TimestampURL }},
		{"notify.heartbeat_url", func(e *examination) string { return e.cfg.Notify.HeartbeatURL.Reveal() }},
		{"notify.webhook_url", func(e *examination) string { return e.cfg.Notify.WebhookURL.Reveal() }},
		{"telemetry.otlp_endpoint", func(e *examination) string { return e.cfg.Telemetry.OTLPEndpoint }},
	} {
		advice := fmt.Sprintf(adviseReceiver, receiver.key)
		list = append(list, check{
			name: receiver.key, tried: "connect to its host, and send nothing",
			remedies: []string{advice}, needs: []string{configFile}, within: 10 * time.Second,
			run: func(e *examination, ctx context.Context) finding { return connect(ctx, receiver.url(e), advice) },
		})
	}
	return list
}

// connect names the host only: paths of such URLs are often secret.
func connect(ctx context.Context, address, advice string) finding {
	if address == "" {
		return skip("not configured")
	}
	u, err := url.Parse(address)
	if err != nil {
		return warn(advice, "the URL cannot be read")
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // net.Dial knows http and https
	}
	began := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return warn(advice, "%s does not accept a connection", u.Host)
	}
	_ = conn.Close() // nothing was sent
	return ok("%s accepts connections", u.Host).with("connect_seconds", time.Since(began).Seconds())
}
