package app

import (
	"context"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

// newQuota is the quota by the limits of the configuration and of the run; nil
// when neither has one.
func newQuota(cfg *config.Config, ledger *postgres.Ledger, options Options) *postgres.Quota {
	if PerMinute(cfg.Vlens.Quota, options.RunPerMinute) == 0 {
		return nil
	}
	return postgres.NewQuota(ledger.QuotaPool(), postgres.QuotaConfig{
		BaseURL:      cfg.Vlens.BaseURL,
		Tenancy:      cfg.Vlens.TenancyName,
		PerSecond:    cfg.Vlens.Quota.PerSecond,
		PerMinute:    cfg.Vlens.Quota.PerMinute,
		Margin:       cfg.Vlens.Quota.Margin,
		Process:      options.WorkerName,
		RunID:        options.RunID,
		RunPerMinute: options.RunPerMinute,
	})
}

// closeQuota gives back the slots that are held. Those that cannot be given back
// expire.
func (a *App) closeQuota(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := a.Quota.Close(ctx); err != nil {
		a.options.Log.Warn("the quota could not be left in order; its slots expire by themselves",
			"event", "quota_close_failed", "run_id", a.options.RunID, "error", err.Error())
	}
}

// QuotaUse reads the quota in use; it is nil without a quota.
func (a *App) QuotaUse() func(context.Context) (store.QuotaUse, error) {
	if a.Quota == nil {
		return nil
	}
	return a.Quota.Use
}

// PerMinute is how many requests a minute a run may make: the tightest of the
// quota's two windows and of the run's own limit; 0 is no limit.
func PerMinute(quota config.Quota, ofRun int) int {
	perMinute := 0
	for _, limit := range []int{60 * quota.PerSecond, quota.PerMinute, ofRun} {
		if limit > 0 && (perMinute == 0 || limit < perMinute) {
			perMinute = limit
		}
	}
	return perMinute
}

// QuotaNow is the quota in use by all processes of the tenant, with the limits
// of this configuration when no process is there to set them; zero when the
// configuration has none. It only reads the quota.
func QuotaNow(ctx context.Context, ledger *postgres.Ledger, cfg *config.Config) (store.QuotaUse, error) {
	limits := cfg.Vlens.Quota
	if PerMinute(limits, 0) == 0 {
		return store.QuotaUse{}, nil
	}
	use, err := postgres.ReadQuota(ctx, ledger.Pool(), cfg.Vlens.BaseURL, cfg.Vlens.TenancyName, "")
	if err != nil {
		return store.QuotaUse{}, err
	}
	if use.Processes == 0 {
		use.PerSecond, use.PerMinute = limits.PerSecond, limits.PerMinute
	}
	return use, nil
}
