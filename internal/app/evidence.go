package app

import (
	"context"
	"fmt"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
)

// Evidence is what commands work with that check or export what is archived: it has
// no vendor and no quota. Its owner closes the ledger.
type Evidence struct {
	Ledger   *postgres.Ledger
	Bucket   *bucket.Bucket
	Layout   manifest.Layout
	Key      store.SubjectKey
	Identity store.ArchiveIdentity
	// VerifierKey checks the log's checkpoint; "" without a signing key.
	VerifierKey string
}

// OpenEvidence connects to the ledger; the bucket gets its first request from
// whoever uses it.
func OpenEvidence(ctx context.Context, cfg *config.Config) (*Evidence, error) {
	key, err := store.ParseSubjectKey(cfg.Archive.SubjectKey)
	if err != nil {
		return nil, err
	}
	e := &Evidence{Layout: manifest.Layout{Prefix: cfg.Archive.Prefix}, Key: key, Identity: Identity(cfg, key)}
	if cfg.Evidence.SigningKey != "" {
		signing, err := manifest.ParseSigningKey(cfg.Evidence.SigningKey)
		if err != nil {
			return nil, fmt.Errorf("%w: evidence.signing_key: %w", config.ErrInvalid, err)
		}
		e.VerifierKey = signing.VerifierKey()
	}
	if e.Bucket, err = OpenBucket(ctx, cfg); err != nil {
		return nil, err
	}
	if e.Ledger, err = OpenLedger(ctx, cfg); err != nil {
		return nil, err
	}
	return e, nil
}

// OpenSource connects to the company's users.
func OpenSource(ctx context.Context, cfg *config.Config) (*postgres.Source, error) {
	return postgres.OpenSource(ctx, postgres.SourceConfig{
		URL:         cfg.Source.DatabaseURL,
		UsersSQL:    cfg.Source.UsersSQL,
		LookupSQL:   cfg.Source.LookupSQL,
		Identifiers: cfg.Source.Identifiers,
	})
}

// Identity is the archive that the configuration describes.
func Identity(cfg *config.Config, key store.SubjectKey) store.ArchiveIdentity {
	return store.ArchiveIdentity{
		LayoutVersion: store.LayoutVersion,
		Origin:        cfg.Evidence.Origin,
		TenancyName:   cfg.Vlens.TenancyName,
		KeyCheck:      key.Check(),
		Place:         cfg.Archive.Bucket + "/" + cfg.Archive.Prefix,
	}
}
