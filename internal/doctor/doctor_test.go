package doctor

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// fault is something wrong with a site, and what the check that is for it has to
// find.
type fault struct {
	name   string
	spoil  func(*site)
	check  string
	status Status
	text   string // in what was found
	remedy string
	kind   error // of a failure
	// also are other checks that find something, because of the same fault.
	also []string
}

func tryFaults(t *testing.T, faults []fault) {
	t.Helper()
	for _, f := range faults {
		t.Run(f.check+"/"+f.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			f.spoil(s)
			e := s.examine().finds(f.check, f.status, f.text, f.remedy)
			if f.kind != nil {
				e.because(f.check, f.kind)
			}
			e.otherwiseWell(append(f.also, f.check)...)
		})
	}
}

func TestHealthySite(t *testing.T) {
	t.Parallel()
	s := newSite(t).ownDatabases()
	began := time.Now()
	e := s.examine().otherwiseWell()
	for _, r := range e.report.Checks {
		t.Logf("%-7s %5.2fs %-20s %s", r.Status, r.Seconds, r.Name, r.Found)
	}
	t.Logf("it took %s", time.Since(began))
	if n := s.vlens.Requests(); n != 2 {
		t.Errorf("%d requests were sent to Vlens, want 2", n)
	}
	var used int
	if err := s.connect(s.ledger).QueryRow(t.Context(), `SELECT count(*) FROM archive.quota`).Scan(&used); err != nil || used != 1 {
		t.Errorf("the requests did not go through the shared quota: %d rows, %v", used, err)
	}
	var runs int
	if err := s.connect(s.ledger).QueryRow(t.Context(), `SELECT count(*) FROM archive.runs`).Scan(&runs); err != nil || runs != 0 {
		t.Errorf("%d runs are left in the ledger, %v", runs, err)
	}
	for _, name := range []string{"bucket.create_only", "bucket.concurrent", "bucket.replace", "bucket.checksum", "bucket.metadata", "bucket.lock", "bucket.delete"} {
		if status := e.result(name).Status; status != OK {
			t.Errorf("%s is %s", name, status)
		}
	}
}

// One area that fails does not hide the others.
func TestEverythingWrongAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.Ledger.DatabaseURL = "postgres://127.0.0.1:1/ledger"
	s.cfg.Source.DatabaseURL = store.Sensitive(as(s.source, "nobody_at_all"))
	s.cfg.Archive.Endpoint = "http://127.0.0.1:1"
	e := s.examine()
	e.finds("ledger.server", Failed, "unavailable", fmt.Sprintf(adviseReach, "ledger")).because("ledger.server", store.ErrUnavailable)
	e.finds("source.server", Failed, "access denied", fmt.Sprintf(adviseLogin, "source")).because("source.server", store.ErrDenied)
	e.finds("vlens.login", Skipped, "the quota is kept in the ledger", "")
	e.finds("bucket.access", Failed, "unavailable", adviseBucketReach).because("bucket.access", store.ErrUnavailable)
	e.finds("evidence.signing_key", OK, "", "")
	if n := s.vlens.Requests(); n != 0 {
		t.Errorf("%d requests were sent to Vlens outside the quota", n)
	}
}

func TestWithoutConfiguration(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.loads = fmt.Errorf("%w: line 3", config.ErrInvalid)
	e := s.examine().finds("config.file", Failed, "line 3", adviseConfig).because("config.file", config.ErrInvalid)
	if n := e.report.Count(Skipped); n != len(checks())-1 {
		t.Errorf("%d checks are skipped, want all others", n)
	}
}

// A call that is cancelled ends at once, says nothing that is not so, and takes
// its canaries along where the role may delete.
func TestCancelled(t *testing.T) {
	t.Parallel()
	s := newSite(t).behind(root(liar{}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	report := Examine(ctx, Setup{LoadConfig: func() (*config.Config, error) { return s.cfg, nil }}, func(r Result) {
		if r.Name == "bucket.create_only" {
			cancel()
		}
	})
	if last := report.Checks[len(report.Checks)-1]; last.Name != "bucket.create_only" || report.Err() != nil {
		t.Errorf("the last result is %+v, the report says %v", last, report.Err())
	}
	if left := s.versions(); len(left) != 0 {
		t.Errorf("left in the bucket: %v", left)
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	tryFaults(t, []fault{
		{
			name: "above the tenant's", check: "config.quota", status: Warning, text: "5 requests a second and 600 requests a minute", remedy: adviseQuota,
			spoil: func(s *site) { s.cfg.Vlens.Quota.PerMinute = 600 },
		},
		{
			name: "no limit", check: "config.quota", status: Warning, text: "any number of requests a second", remedy: adviseQuota,
			spoil: func(s *site) { s.cfg.Vlens.Quota.PerSecond = 0 },
		},
		{
			name: "none", check: "config.object_lock", status: Warning, text: "not locked", remedy: adviseObjectLock,
			spoil: func(s *site) { s.cfg.Archive.ObjectLock = config.ObjectLock{Mode: config.LockNone} },
		},
		{
			name: "none", check: "evidence.signing_key", status: Warning, text: "there is none", remedy: adviseNoKey,
			spoil: func(s *site) { s.cfg.Evidence.SigningKey = "" },
		},
		{
			name: "cut", check: "evidence.signing_key", status: Failed, text: "no signing key", remedy: adviseKey, kind: ErrMisfit,
			spoil: func(s *site) { s.cfg.Evidence.SigningKey = s.cfg.Evidence.SigningKey[:40] },
		},
		{
			name: "of another log", check: "evidence.signing_key", status: Failed, text: `evidence.origin is "other.example/log"`, remedy: adviseKeyOrigin, kind: ErrMisfit,
			spoil: func(s *site) { s.cfg.Evidence.Origin = "other.example/log" },
		},
	})
}

func TestReceivers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	nowhere := "http://127.0.0.1:1/secret-path"
	s.cfg.Evidence.TimestampURL = nowhere
	s.cfg.Notify.HeartbeatURL = store.Sensitive(nowhere)
	s.cfg.Notify.WebhookURL = store.Sensitive(nowhere)
	s.cfg.Telemetry.OTLPEndpoint = nowhere
	e := s.examine()
	for _, name := range []string{"evidence.timestamp_url", "notify.heartbeat_url", "notify.webhook_url", "telemetry.otlp_endpoint"} {
		e.finds(name, Warning, "127.0.0.1:1 does not accept", fmt.Sprintf(adviseReceiver, name))
		if strings.Contains(e.result(name).Found, "secret-path") {
			t.Errorf("%s shows the path", name)
		}
	}
	// It connects to a host that is there, and asks it for nothing.
	before := s.vlens.Requests()
	s.cfg.Notify.HeartbeatURL = store.Sensitive(s.cfg.Vlens.BaseURL + "/ping")
	s.examine().finds("notify.heartbeat_url", OK, "accepts connections", "")
	if n := s.vlens.Requests() - before; n != 2 {
		t.Errorf("%d requests, want the 2 of login and permission", n)
	}
}

func TestVendorFaults(t *testing.T) {
	t.Parallel()
	scenario := func(change func(*vlenstest.Scenario)) func(*site) {
		return func(s *site) {
			sc := s.vlens.Scenario()
			change(&sc)
			if err := s.vlens.SetScenario(sc); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	tryFaults(t, []fault{
		{
			name: "wrong password", check: "vlens.login", status: Failed, text: "credentials were refused", remedy: adviseCredentials,
			spoil: func(s *site) { s.cfg.Vlens.Password = "wrong" },
		},
		{
			name: "nobody there", check: "vlens.login", status: Failed, text: "connection failed", remedy: adviseVendorReach,
			spoil: func(s *site) { s.cfg.Vlens.BaseURL = "http://127.0.0.1:1" },
		},
		{
			name: "missing", check: "vlens.permission", status: Failed, text: "permission was refused", remedy: advisePermission,
			spoil: scenario(func(sc *vlenstest.Scenario) { sc.Auth.Permission = "missing" }),
		},
		{
			name: "token refused", check: "vlens.permission", status: Failed, text: "credentials were refused", remedy: adviseCredentials,
			spoil: scenario(func(sc *vlenstest.Scenario) { sc.Auth.RevokeAt = []int{2} }),
		},
		{
			name: "unknown code", check: "vlens.permission", status: Warning, text: fmt.Sprint(vlenstest.CodeUserNotFound), remedy: adviseNotFound,
			spoil: scenario(func(sc *vlenstest.Scenario) { sc.All.Errors = "ok" }),
		},
		{
			name: "throttled", check: "vlens.permission", status: Warning, text: "quota is used up", remedy: adviseWaitQuota,
			spoil: scenario(func(sc *vlenstest.Scenario) { sc.Quota.PerMinute = 1 }),
		},
		{
			name: "a gateway's page", check: "vlens.permission", status: Failed, text: "HTTP status 502", remedy: adviseVendorReach,
			spoil: scenario(func(sc *vlenstest.Scenario) { sc.Outage = vlenstest.OutageRules{From: 2} }),
		},
		{
			name: "answers for anybody", check: "vlens.permission", status: Failed, text: "who cannot exist", remedy: adviseLoose,
			spoil: func(s *site) { s.cfg.Vlens.BaseURL = startLooseVendor(s) },
		},
	})
}

// Requests are exact: a refused permission costs one request, not a second login.
func TestVendorCost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sc := s.vlens.Scenario()
	sc.Auth.Permission = "missing"
	if err := s.vlens.SetScenario(sc); err != nil {
		t.Fatal(err)
	}
	s.examine()
	if login, list := s.vlens.Requests(vlenstest.Login), s.vlens.Requests(vlenstest.List); login != 1 || list != 1 {
		t.Errorf("%d logins and %d listings, want one of each", login, list)
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-7500 * time.Millisecond, 7500 * time.Millisecond} {
		s := newSite(t)
		s.now = func() time.Time { return time.Now().Add(off) }
		e := s.examine()
		e.finds("ledger.clock", Failed, "differ by 7.", adviseClock)
		e.otherwiseWell("ledger.clock", "vlens.clock", "bucket.clock")

		s.now = func() time.Time { return time.Now().Add(10 * off) }
		e = s.examine()
		e.finds("vlens.clock", Warning, "the clocks differ by 1m1", adviseVendorClock)
		e.finds("bucket.clock", Warning, "the clocks differ by 1m1", adviseBucketClock)
		// The lock ends by the clock of the service.
		e.finds("bucket.lock", OK, "holds", "")
	}
	s := newSite(t)
	s.now = func() time.Time { return time.Now().Add(4 * time.Second) }
	s.examine().otherwiseWell()
}
