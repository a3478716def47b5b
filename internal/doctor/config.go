package doctor

import (
	"context"
	"fmt"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
)

const (
	adviseConfig     = "name the file with --config FILE, and correct it at the lines named here; config.example.yaml shows every key"
	adviseObjectLock = "decide on archive.object_lock before the first run: what is written without a lock can be deleted by whoever may delete"
	adviseQuota      = "set vlens.quota below the tenant's own limits; live onboarding draws on them too"
)

// The vendor's limits for a tenant without an agreement of its own
// (docs.vlenseg.com, "Digital Identity API").
const (
	tenantPerSecond = 10
	tenantPerMinute = 60
)

const configFile = "config.file"

func configChecks() []check {
	return []check{
		{
			name: configFile, tried: "read the configuration and check every value",
			remedies: []string{adviseConfig},
			run:      (*examination).loadConfig,
		},
		{
			name: "config.quota", tried: "compare vlens.quota with what Vlens gives a tenant by default",
			remedies: []string{adviseQuota}, needs: []string{configFile},
			run: (*examination).compareQuota,
		},
		{
			name: "config.object_lock", tried: "look whether objects are to be locked",
			remedies: []string{adviseObjectLock}, needs: []string{configFile},
			run: (*examination).wantsLock,
		},
	}
}

func (e *examination) loadConfig(context.Context) finding {
	cfg, err := e.setup.LoadConfig()
	if err != nil {
		return failed(adviseConfig, err)
	}
	e.cfg = cfg
	if e.key, err = store.ParseSubjectKey(cfg.Archive.SubjectKey); err != nil {
		return failed(adviseConfig, fmt.Errorf("%w: archive.subject_key: %w", config.ErrInvalid, err))
	}
	return ok("every value is valid").with("sha256", cfg.Fingerprint())
}

func (e *examination) compareQuota(context.Context) finding {
	quota := e.cfg.Vlens.Quota
	f := ok("%s a second and %s a minute, shared by all processes", limit(quota.PerSecond), limit(quota.PerMinute))
	perSecond := quota.PerSecond > 0 && quota.PerSecond <= tenantPerSecond
	perMinute := quota.PerMinute > 0 && quota.PerMinute <= tenantPerMinute
	if !perSecond || !perMinute {
		f = warn(adviseQuota, "%s a second and %s a minute; Vlens gives a tenant %d and %d by default",
			limit(quota.PerSecond), limit(quota.PerMinute), tenantPerSecond, tenantPerMinute)
	}
	return f.with("per_second", quota.PerSecond).with("per_minute", quota.PerMinute)
}

func limit(requests int) string {
	if requests == 0 {
		return "any number of requests"
	}
	return fmt.Sprintf("%d requests", requests)
}

func (e *examination) wantsLock(context.Context) finding {
	lock := e.cfg.Archive.ObjectLock
	f := ok("mode %s, %d days", lock.Mode, lock.Days)
	if lock.Mode == config.LockNone {
		f = warn(adviseObjectLock, "mode none: objects are not locked")
	}
	return f.with("mode", lock.Mode).with("days", lock.Days)
}
