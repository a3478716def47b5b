package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"vlens-archiver/store"
)

// archive holds the figures of the archive and of the quota as last read from the
// ledger. A collection shows these and asks the ledger nothing.
type archive struct {
	mu      sync.Mutex
	figures *store.Figures // nil before the first reading
	quota   *store.QuotaUse
	readAt  time.Time // by this process's clock; ages grow from here

	users, left, unlisted, accepted, failures, unclosed, damaged, findings metric.Int64ObservableGauge
	oldest, success, verified, read                                        metric.Float64ObservableGauge

	quotaLimit, quotaUsed, quotaInFlight, quotaWaiting metric.Int64ObservableGauge
	quotaCoolDown                                      metric.Float64ObservableGauge
}

func newArchive(meter metric.Meter) (*archive, error) {
	m := &instruments{Meter: meter}
	a := &archive{
		users:    m.gauge("vlens_archiver.archive.users", "{user}", "All users of the archive, by state."),
		left:     m.gauge("vlens_archiver.archive.users.left", "{user}", "Users of the archive who are no longer in the source."),
		unlisted: m.gauge("vlens_archiver.archive.users.unlisted", "{user}", "Users of whom something is stored and whom Vlens no longer lists."),
		accepted: m.gauge("vlens_archiver.archive.users.accepted", "{user}", "Users who are failed or partial, which a person has accepted."),
		failures: m.gauge("vlens_archiver.archive.failures", "{user}", "Users of whose newest verification something is missing, without those accepted, by the class of their last outcome."),
		oldest:   m.seconds("vlens_archiver.archive.oldest_unarchived.age", "Age of the user who waits longest among those whose failure may pass, by state; 0 when nobody waits."),
		success:  m.seconds("vlens_archiver.last_success.timestamp", "Unix time at which a run last came to its end; 0 when none did. Backfills do not count."),
		unclosed: m.gauge("vlens_archiver.archive.runs.unclosed", "{run}", "Runs that nobody works on any more and that are not closed; the next process closes them if it can."),
		read:     m.seconds("vlens_archiver.archive.read.timestamp", "Unix time at which these figures were read from the ledger."),

		verified: m.seconds("vlens_archiver.verification.timestamp", "Unix time at which a verification last ended; 0 when none did."),
		damaged:  m.gauge("vlens_archiver.verification.damaged", "{object}", "Objects and records found damaged and not found whole since."),
		findings: m.gauge("vlens_archiver.verification.findings", "{finding}", "Findings of verifications that no later one disproved, by finding."),

		quotaLimit:    m.gauge("vlens_archiver.quota.limit", "{request}", "Requests to Vlens allowed in a window, by window; without a limit there is none."),
		quotaUsed:     m.gauge("vlens_archiver.quota.used", "{request}", "Requests to Vlens that count in a window now, of all processes, by window."),
		quotaInFlight: m.gauge("vlens_archiver.quota.in_flight", "{request}", "Requests to Vlens without an answer, of all processes."),
		quotaWaiting:  m.gauge("vlens_archiver.quota.waiting", "{request}", "Requests that wait for the quota, of all processes."),
		quotaCoolDown: m.seconds("vlens_archiver.quota.cooldown", "How long nothing more is sent to Vlens after a throttle reply; 0 outside a cool-down."),
	}
	m.read(a.observe, a.users, a.left, a.unlisted, a.accepted, a.failures, a.oldest, a.success, a.unclosed, a.read, a.verified, a.damaged, a.findings,
		a.quotaLimit, a.quotaUsed, a.quotaInFlight, a.quotaWaiting, a.quotaCoolDown)
	return a, m.err
}

// setFigures and setQuota remember a reading.
func (a *archive) setFigures(figures store.Figures) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.figures, a.readAt = &figures, time.Now()
}

func (a *archive) setQuota(use store.QuotaUse) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.quota = &use
}

func (a *archive) observe(_ context.Context, o metric.Observer) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.figures != nil {
		a.observeFigures(o, *a.figures, time.Since(a.readAt))
	}
	if a.quota != nil {
		a.observeQuota(o, *a.quota)
	}
	return nil
}

// observeFigures shows a reading of that age. What is not in it is 0.
func (a *archive) observeFigures(o metric.Observer, figures store.Figures, old time.Duration) {
	for _, state := range store.States {
		o.ObserveInt64(a.users, figures.Users[state], label("state", string(state)))
	}
	o.ObserveInt64(a.left, figures.UsersLeft)
	o.ObserveInt64(a.unlisted, figures.UsersUnlisted)
	o.ObserveInt64(a.accepted, figures.UsersAccepted)
	for _, class := range store.Classes {
		o.ObserveInt64(a.failures, figures.Failures[class.Class], label("class", string(class.Class)))
	}
	for _, state := range []store.State{store.StatePending, store.StatePartial, store.StateFailed} {
		age := 0.0
		if since, waiting := figures.OldestUnarchivedAt[state]; waiting {
			age = max(0, (figures.At.Sub(since) + old).Seconds())
		}
		o.ObserveFloat64(a.oldest, age, label("state", string(state)))
	}
	o.ObserveFloat64(a.success, unix(figures.LastSuccessAt))
	o.ObserveInt64(a.unclosed, figures.RunsUnclosed)
	o.ObserveFloat64(a.read, unix(figures.At))
	o.ObserveFloat64(a.verified, unix(figures.Verified.LastAt))
	o.ObserveInt64(a.damaged, figures.Verified.Damaged)
	for finding, n := range figures.Verified.Findings {
		o.ObserveInt64(a.findings, n, label("finding", finding))
	}
}

func (a *archive) observeQuota(o metric.Observer, use store.QuotaUse) {
	for _, window := range []struct {
		name        string
		limit, used int
	}{
		{"second", use.PerSecond, use.SecondUsed},
		{"minute", use.PerMinute, use.MinuteUsed},
		{"minute_of_run", use.RunPerMinute, use.RunUsed},
	} {
		if window.limit > 0 {
			o.ObserveInt64(a.quotaLimit, int64(window.limit), label("window", window.name))
			o.ObserveInt64(a.quotaUsed, int64(window.used), label("window", window.name))
		}
	}
	o.ObserveInt64(a.quotaInFlight, int64(use.InFlight))
	o.ObserveInt64(a.quotaWaiting, int64(use.Waiting))
	o.ObserveFloat64(a.quotaCoolDown, max(0, use.CoolUntil.Sub(use.At).Seconds()))
}

// unix is 0 for no time at all.
func unix(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}
