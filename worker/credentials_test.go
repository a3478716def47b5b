package worker_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

func TestMissingPermissionEndsTheRun(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 40, Seed: 10, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Auth: vlenstest.AuthRules{Permission: "missing"}, Latency: 20 * time.Millisecond,
	}})
	p := tn.Process("first", nil)
	defer p.Close()
	_, err := p.Run(t.Context(), t.Context())
	wantFault(t, err, vlens.EndpointList, vlens.FaultForbidden)
	if err == nil || !strings.Contains(err.Error(), `"Requests" permission`) {
		t.Errorf("the error does not name the permission: %v", err)
	}
	// Eight users are in flight; each hears it with the first token and with the
	// fresh one.
	if logins, lists := tn.Sim.Requests(vlenstest.Login), tn.Sim.Requests(vlenstest.List); logins != 2 || lists > 16 {
		t.Errorf("%d logins and %d listings, want 2 and at most 16", logins, lists)
	}
	// The third refusal, when nobody was listed, is no longer that user's own.
	got := ends(tn, "first")
	for id, end := range got {
		if !strings.HasPrefix(end, "failed forbidden ") {
			t.Errorf("%s ended as %s", id, end)
		}
	}
	if len(got) > 2 {
		t.Errorf("users have outcomes: %v", got)
	}
}

// A vendor that takes the login and no token for any listing refuses the account,
// with or without words.
func TestTokensThatListNobodyEndTheRun(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]vlenstest.Scenario{
		"in its words":  {Auth: vlenstest.AuthRules{Permission: "missing", PermitStatus: http.StatusUnauthorized}},
		"without words": {All: fault(vlenstest.List, "empty_401")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: 40, Seed: 14, Scenario: scenario})
			p := tn.Process("first", nil)
			defer p.Close()
			_, err := p.Run(t.Context(), t.Context())
			wantFault(t, err, vlens.EndpointList, vlens.FaultUnauthorized)
			if got := ends(tn, "first"); len(got) > 2 {
				t.Errorf("users have outcomes: %v", got)
			}
		})
	}
}

// A permission that is taken away when users were listed already stops the run
// after some of them.
func TestPermissionTakenAwayStopsTheRun(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 120, Seed: 15, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{
		Auth: vlenstest.AuthRules{DenyFrom: 60},
	}})
	p := tn.Process("first", nil)
	defer p.Close()
	_, err := p.Run(t.Context(), t.Context())
	if !errors.Is(err, worker.ErrBreaker) || !strings.Contains(err.Error(), `"Requests" permission`) {
		t.Errorf("the run ended with %v", err)
	}
	// Users who were listed before are still archived, and each begins the count anew.
	refused := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE outcome = 'failed' AND class = 'forbidden'`)
	if refused < 20 || refused > 80 {
		t.Errorf("%d users were refused", refused)
	}
}

// Where the listing is allowed and images are not, the run stops after some users,
// and they are due again: the permission may be given.
func TestForbiddenImagesEndTheRun(t *testing.T) {
	t.Parallel()
	const users = 60
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 19, ImageBytes: 8 << 10})
	granted := tn.VendorURL
	tn.VendorURL = forbidding(t, granted, func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/GetStepImage") })
	p := tn.Process("first", nil)
	defer p.Close()
	_, err := p.Run(t.Context(), t.Context())
	wantFault(t, err, vlens.EndpointImage, vlens.FaultForbidden)
	if !errors.Is(err, worker.ErrBreaker) {
		t.Errorf("the run ended with %v", err)
	}
	// Twenty, and those who were in flight beside the twentieth.
	if ended := len(ends(tn, "first")); ended < 20 || ended > 28 {
		t.Errorf("%d users ended", ended)
	}
	if never := tn.Count(`SELECT count(*) FROM archive.subjects WHERE next_due_at IS NULL`); never != 0 {
		t.Errorf("%d users are never due again", never)
	}

	tn.VendorURL = granted
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	if report := tn.Run("second", nil); report.Totals.Users["archived"] != users {
		t.Errorf("with the permission: %+v", report.Totals.Users)
	}
}

func TestRefusedLoginEndsTheRun(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 40, Seed: 11, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{Latency: 50 * time.Millisecond}})
	_, err := runWith(tn, "first", func(c *vlens.Config) { c.Password = "wrong" }, func(c *worker.Config) { c.Concurrency = 32 })
	wantFault(t, err, vlens.EndpointLogin, vlens.FaultUnauthorized)
	// Sixteen users are in flight, and each wants to log in.
	if got := tn.Sim.Requests(); got != 1 {
		t.Errorf("%d requests, want the one login", got)
	}
	if got := ends(tn, "first"); len(got) != 0 {
		t.Errorf("users have outcomes: %v", got)
	}
}

func TestTokensInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	const users = 20
	for _, c := range []struct {
		name             string
		auth             vlenstest.AuthRules
		logins, refreshs int
	}{
		{"the token dies", vlenstest.AuthRules{RevokeAt: []int{40}}, 1, 1},
		{"the token dies and refreshing fails", vlenstest.AuthRules{RevokeAt: []int{40}, Refresh: "refused"}, 2, 1},
		{"the token dies where 403 means so", vlenstest.AuthRules{RevokeAt: []int{40}, BearerStatus: 403}, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 12, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{Auth: c.auth}})
			if report := tn.Run("first", nil); report.Totals.Users["archived"] != users {
				t.Errorf("%+v", report.Totals.Users)
			}
			if logins, refreshs := tn.Sim.Requests(vlenstest.Login), tn.Sim.Requests(vlenstest.Refresh); logins != c.logins || refreshs != c.refreshs {
				t.Errorf("%d logins and %d refreshs, want %d and %d", logins, refreshs, c.logins, c.refreshs)
			}
			// What was refused for its token was asked again, and nothing else.
			if served := tn.Sim.Requests(vlenstest.Image) - failedImages(tn); served != users*vlenstest.KindCount {
				t.Errorf("%d images were served, want each of %d once", served, users*vlenstest.KindCount)
			}
			tn.CheckWhole(users)
		})
	}
}

// The refresh token is the first login's all the time, so both kinds of token
// run out, more than once.
func TestRunLongerThanTokensLive(t *testing.T) {
	t.Parallel()
	const users = 60
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 13, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Auth:    vlenstest.AuthRules{TokenLifetime: time.Second, RefreshLifetime: 2 * time.Second, RefreshFields: "none"},
		Latency: 300 * time.Millisecond,
	}})
	if report := tn.Run("first", nil); report.Totals.Users["archived"] != users {
		t.Errorf("%+v", report.Totals.Users)
	}
	if logins, refreshs := tn.Sim.Requests(vlenstest.Login), tn.Sim.Requests(vlenstest.Refresh); logins < 2 || refreshs < 2 {
		t.Errorf("%d logins and %d refreshs: the run was not longer than the tokens live", logins, refreshs)
	}
	tn.CheckWhole(users)
}
