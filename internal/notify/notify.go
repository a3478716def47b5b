// Package notify tells others how runs go: a heartbeat monitor, which alerts
// somebody when it gets a failure or gets nothing, and a webhook, which gets the
// summary of each closed run.
//
// Nothing that happens here changes how a run ends. Both URLs are secrets and
// appear in no log and no error; what is sent has no personal data.
package notify

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"vlens-archiver/store"
)

// Config says who is notified. An empty URL notifies nobody.
type Config struct {
	// HeartbeatURL is that of a check at healthchecks.io, or of a monitor that
	// understands the same: URL/start begins, URL/N ends with exit status N
	// (healthchecks.io/docs/signaling_failures, /docs/measuring_script_run_time).
	HeartbeatURL store.Sensitive
	WebhookURL   store.Sensitive
	Log          *slog.Logger
	UserAgent    string
}

// Notifier reports one process's part in one run.
type Notifier struct {
	config Config
	sender *sender
	rid    string // keeps processes that overlap apart at the monitor

	stopRetrying context.CancelFunc // ends further attempts to send the start
	started      chan struct{}      // closed when the start was sent, or given up
}

// Start tells the monitor that this process takes part in a run, and does not wait
// for its answer. The caller ends it with End.
func Start(ctx context.Context, config Config) *Notifier {
	return start(ctx, config, newSender())
}

func start(ctx context.Context, config Config, sender *sender) *Notifier {
	n := &Notifier{config: config, sender: sender, rid: uuid.NewString(), started: make(chan struct{})}
	retrying, stop := context.WithCancel(ctx)
	n.stopRetrying = stop
	go func() {
		defer close(n.started)
		n.ping(ctx, retrying, "start")
	}()
	return n
}

// EndTimeout bounds the notifications at the end.
const EndTimeout = 10 * time.Second

// End sends the exit status to the monitor, and to the webhook the summaries of the
// runs that this process closed. It does so also when ctx has ended, but then
// tries only once.
func (n *Notifier) End(ctx context.Context, exitStatus int, summaries ...[]byte) {
	n.stopRetrying()
	<-n.started // a start that arrives after the end would look like another run
	defer n.sender.client.CloseIdleConnections()

	retrying := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), EndTimeout)
	defer cancel()
	n.ping(ctx, retrying, strconv.Itoa(exitStatus))
	for _, summary := range summaries {
		n.post(ctx, retrying, summary)
	}
}

func (n *Notifier) ping(ctx, retrying context.Context, word string) {
	if n.config.HeartbeatURL == "" {
		return
	}
	target, err := url.Parse(n.config.HeartbeatURL.Reveal())
	if err != nil {
		n.warn("heartbeat", errURL)
		return
	}
	target = target.JoinPath(word)
	query := target.Query()
	query.Set("rid", n.rid)
	target.RawQuery = query.Encode()
	n.warn("heartbeat", n.sender.send(ctx, retrying, message{http.MethodGet, target.String(), n.config.UserAgent, nil}))
}

func (n *Notifier) post(ctx, retrying context.Context, summary []byte) {
	if n.config.WebhookURL == "" {
		return
	}
	n.warn("webhook", n.sender.send(ctx, retrying, message{http.MethodPost, n.config.WebhookURL.Reveal(), n.config.UserAgent, summary}))
}

func (n *Notifier) warn(target string, err error) {
	if err != nil {
		n.config.Log.Warn("notification not delivered", "event", "notify_failed", "target", target, "error", err.Error())
	}
}
