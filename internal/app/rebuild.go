package app

import (
	"context"
	"time"

	"vlens-archiver/audit"
	"vlens-archiver/audit/rebuild"
	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/worker"
)

// Rebuild fills the empty ledger of the configuration from its bucket. Watch gets
// the rebuild before it begins; warn hears of each object that is left out.
func Rebuild(ctx context.Context, cfg *config.Config, watch func(*rebuild.Rebuilder), warn func(key string, why error)) (store.Rebuilt, error) {
	evidence, err := OpenEvidence(ctx, cfg)
	if err != nil {
		return store.Rebuilt{}, err
	}
	defer evidence.Ledger.Close()
	if err := audit.CheckArchive(ctx, evidence.Bucket, evidence.Layout, evidence.Identity); err != nil {
		return store.Rebuilt{}, err
	}
	source, err := OpenSource(ctx, cfg)
	if err != nil {
		return store.Rebuilt{}, err
	}
	defer source.Close()

	var rebuilt store.Rebuilt
	err = postgres.NewUsers(source, evidence.Ledger).Rebuild(ctx, evidence.Identity, evidence.Key, cfg.Source.AllowPersonalIDs,
		func(ledger *postgres.Rebuild) (err error) {
			rebuilder := &rebuild.Rebuilder{
				Ledger:      ledger,
				Bucket:      evidence.Bucket,
				Layout:      evidence.Layout,
				VerifierKey: evidence.VerifierKey,
				NextDue: func(result store.Result) time.Duration {
					return worker.NextDue(result, cfg.Worker.RecheckAfter)
				},
				Warn: warn,
			}
			watch(rebuilder)
			rebuilt, err = rebuilder.Rebuild(ctx)
			return err
		})
	return rebuilt, err
}
