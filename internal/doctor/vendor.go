package doctor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"vlens-archiver/internal/app"
	"vlens-archiver/vlens"
)

const (
	adviseBaseURL     = "use the https URL of Vlens in production; http is for a simulator on this machine"
	adviseCredentials = "check vlens.api_key, vlens.tenancy_name, vlens.username and vlens.password with the tenant's administrator"
	adviseVendorReach = "check vlens.base_url, DNS, the proxy, and the network policy's egress to Vlens; AWS_CA_BUNDLE and SSL_CERT_FILE name a company's own certificate authority"
	advisePermission  = `have the tenant's administrator grant the "Requests" permission to vlens.username`
	adviseWaitQuota   = "run doctor again when no run uses the quota, or when Vlens no longer throttles the tenant"
	adviseNotFound    = "if that is how this tenant says that there is no such user, add the code to vlens.codes.not_found"
	adviseLoose       = "ask Vlens how it matches users before you run: it listed images for a user who cannot exist, and would file them under somebody"
	adviseVendorClock = "set this machine's clock, for example with NTP; if it is right, tell Vlens"
)

const (
	vlensLogin = "vlens.login"
	// quotaWait leaves time for the minute's window to pass.
	quotaWait = 100 * time.Second
)

func vendorChecks() []check {
	return []check{
		{
			name: "vlens.url", tried: "look at the protocol of vlens.base_url",
			remedies: []string{adviseBaseURL}, needs: []string{configFile},
			run: (*examination).checkBaseURL,
		},
		{
			name: vlensLogin, tried: "log in, in one request of the quota",
			remedies: []string{adviseCredentials, adviseVendorReach, adviseWaitQuota}, needs: []string{configFile},
			within: quotaWait, run: (*examination).login,
		},
		{
			name: "vlens.permission", tried: "ask for the images of a user who cannot exist, in one request of the quota",
			remedies: []string{advisePermission, adviseNotFound, adviseLoose, adviseCredentials, adviseVendorReach, adviseWaitQuota},
			needs:    []string{vlensLogin},
			within:   quotaWait, run: (*examination).askForNobody,
		},
		{
			name: "vlens.clock", tried: "compare this machine's clock with the Date of an answer",
			remedies: []string{adviseVendorClock}, needs: []string{vlensLogin},
			run: func(e *examination, _ context.Context) finding { return judgeSkew(e.vendorSkew, adviseVendorClock) },
		},
	}
}

func (e *examination) checkBaseURL(context.Context) finding {
	if strings.HasPrefix(e.cfg.Vlens.BaseURL, "http://") {
		return warn(adviseBaseURL, "%s is not encrypted", e.cfg.Vlens.BaseURL)
	}
	return ok("%s", e.cfg.Vlens.BaseURL)
}

// login goes through the quota of the tenant. Without the ledger, which keeps it,
// nothing is sent: it would be spent unseen.
func (e *examination) login(ctx context.Context) finding {
	if status := e.statuses[ledgerSchema]; app.PerMinute(e.cfg.Vlens.Quota, 0) > 0 && status != OK {
		return skip("the quota is kept in the ledger, and " + ledgerSchema + " did not succeed")
	}
	once := *e.cfg
	once.Worker.Attempts = 1
	var err error
	if e.vendor, e.quota, err = app.OpenVendor(&once, e.ledger, e.setup.Options); err != nil {
		return failed(adviseCredentials, err)
	}
	var asked requests
	err = e.vendor.Login(asked.watch(ctx, e))
	return asked.judge(err, func() finding { return ok("logged in as a user of tenant %q", e.cfg.Vlens.TenancyName) })
}

func (e *examination) askForNobody(ctx context.Context) finding {
	if e.statuses[vlensLogin] != OK {
		return skip(vlensLogin + " was left open")
	}
	var asked requests
	listing, err := e.vendor.AskForNobody(asked.watch(ctx, e))
	return asked.judge(err, func() finding {
		for _, reference := range listing.References {
			if reference.FileName != "" {
				return broken(adviseLoose, "Vlens listed images for a user who cannot exist")
			}
		}
		return ok("the account may list images")
	})
}

// requests watches what was sent for a check.
type requests struct {
	mu   sync.Mutex
	sent int
	last vlens.RequestInfo
}

func (r *requests) watch(ctx context.Context, e *examination) context.Context {
	return vlens.WithTrace(ctx, func(info vlens.RequestInfo) {
		answered := e.setup.Now()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent++
		r.last = info
		if s := compareClocks(answered.Add(-info.Duration), answered, info.ServerTime, time.Second); s != nil {
			e.vendorSkew = s
		}
	})
}

// judge makes a finding of what the vendor answered.
func (r *requests) judge(err error, success func() finding) finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	var f finding
	fault, isFault := errors.AsType[*vlens.Error](err)
	switch {
	case err == nil:
		f = success()
	case errors.Is(err, context.DeadlineExceeded) && r.last.Fault == vlens.FaultThrottled, isFault && fault.Fault == vlens.FaultThrottled:
		f = warn(adviseWaitQuota, "Vlens answered that the quota is used up")
	case errors.Is(err, context.DeadlineExceeded):
		f = warn(adviseWaitQuota, "no slot of the shared quota, or no answer, within %s", quotaWait)
	case !isFault:
		f = failed(adviseVendorReach, err)
	case fault.Fault == vlens.FaultNotFound:
		f = ok("the account may list images: there is no such user, says Vlens")
	case fault.Fault == vlens.FaultForbidden:
		f = failed(advisePermission, err)
	case fault.Fault == vlens.FaultUnauthorized:
		f = failed(adviseCredentials, err)
	case fault.Endpoint == vlens.EndpointList && fault.Fault == vlens.FaultVendorError && fault.Code != 0:
		f = warn(adviseNotFound, "Vlens refused nothing and answered a user who cannot exist with HTTP status %d, error code %d", fault.Status, fault.Code).
			with("error_code", fault.Code)
	default:
		f = failed(adviseVendorReach, err)
	}
	return f.with("requests", r.sent).with("http_status", r.last.Status)
}

// judgeSkew warns only: neither party's clock decides anything of a run's.
func judgeSkew(s *skew, advice string) finding {
	if s == nil {
		return ok("the answer has no Date")
	}
	f := ok("they differ by less than 5 s")
	if s.tooLarge() {
		f = warn(advice, "the clocks differ by %s, give or take %s", s.ahead.Abs().Round(time.Second), s.uncertain.Round(time.Millisecond))
	}
	return f.with("skew_seconds", s.ahead.Seconds()).with("uncertain_seconds", s.uncertain.Seconds())
}
