// Package notify tells others how runs go: a heartbeat monitor that wakes
// somebody when it hears of a failure or hears nothing, and a webhook that gets
// the summary of each closed run.
//
// Nothing that happens here changes how a run ends. Both URLs are secrets and
// stand in no log and no error; what is sent has no personal data.
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

// Config says who is told. An empty URL is nobody.
type Config struct {
	// HeartbeatURL is that of a check at healthchecks.io, or of a monitor that
	// understands the same: URL/start begins, URL/N ends with exit status N
	// (healthchecks.io/docs/signaling_failures, /docs/measuring_script_run_time).
	HeartbeatURL store.Sensitive
	WebhookURL   store.Sensitive
	Log          *slog.Logger
	UserAgent    string
}

// Notifier tells of one process's part in one run.
type Notifier struct {
	config Config
	sender *sender
	rid    string // tells apart the parts of processes that overlap

	ending  context.CancelFunc // ends the further attempts to tell the start
	started chan struct{}      // closed when the start has been told, or given up
}

// Start tells the monitor that a part in a run begins, and does not wait for its
// answer. Its caller ends it with End.
func Start(ctx context.Context, config Config) *Notifier {
	return start(ctx, config, newSender())
}

func start(ctx context.Context, config Config, sender *sender) *Notifier {
	n := &Notifier{config: config, sender: sender, rid: uuid.NewString(), started: make(chan struct{})}
	patience, ending := context.WithCancel(ctx)
	n.ending = ending
	go func() {
		defer close(n.started)
		n.ping(ctx, patience, "start")
	}()
	return n
}

// endTimeout bounds what telling of the end may take. With the time the worker
// takes to stop it must fit into the grace period of a pod.
const endTimeout = 10 * time.Second

// End tells the monitor the exit status of the part, and the webhook the
// summaries of the runs that it closed. It does so also when ctx has ended, but
// then tries only once.
func (n *Notifier) End(ctx context.Context, exitStatus int, summaries ...[]byte) {
	n.ending()
	<-n.started // a start that arrives after the end would look like another run
	defer n.sender.client.CloseIdleConnections()

	patience := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	n.ping(ctx, patience, strconv.Itoa(exitStatus))
	for _, summary := range summaries {
		n.post(ctx, patience, summary)
	}
}

func (n *Notifier) ping(ctx, patience context.Context, word string) {
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
	n.warn("heartbeat", n.sender.send(ctx, patience, message{http.MethodGet, target.String(), n.config.UserAgent, nil}))
}

func (n *Notifier) post(ctx, patience context.Context, summary []byte) {
	if n.config.WebhookURL == "" {
		return
	}
	n.warn("webhook", n.sender.send(ctx, patience, message{http.MethodPost, n.config.WebhookURL.Reveal(), n.config.UserAgent, summary}))
}

func (n *Notifier) warn(target string, err error) {
	if err != nil {
		n.config.Log.Warn("notification not delivered", "event", "notify_failed", "target", target, "error", err.Error())
	}
}
