package app

import (
	"context"
	"log/slog"

	"golang.org/x/sync/semaphore"

	"vlens-archiver/internal/config"
	"vlens-archiver/internal/telemetry"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/store/timestamp"
	"vlens-archiver/vlens"
)

// Options are what the parts of an App need beside the configuration.
type Options struct {
	Tool manifest.Tool
	Log  *slog.Logger
	// RunID names the run. RunPerMinute is its own limit in requests a minute,
	// beside the quota; 0 is none.
	RunID        string
	RunPerMinute int
	// WorkerName is the name of the pod or host.
	WorkerName string
	// Telemetry measures what the App does; nil measures nothing. It outlives the
	// App.
	Telemetry *telemetry.Telemetry
}

// App is everything a run works with. Its owner closes it.
type App struct {
	*Databases
	Bucket *bucket.Bucket
	Vendor *vlens.Client
	Quota  *postgres.Quota // nil when there is no limit
	Key    store.SubjectKey
	// Signing is the zero value when the configuration has no key.
	Signing manifest.SigningKey

	timestamps *timestamp.Authority // nil when the configuration has none
	cfg        *config.Config
	options    Options
	unfollow   func(context.Context) // nil before telemetry reads the ledger
}

// Open opens all parts. It connects to the databases; bucket and vendor get their
// first request from whoever uses them.
func Open(ctx context.Context, cfg *config.Config, options Options) (*App, error) {
	key, err := store.ParseSubjectKey(cfg.Archive.SubjectKey)
	if err != nil {
		return nil, err
	}
	var signing manifest.SigningKey
	if cfg.Evidence.SigningKey != "" {
		if signing, err = manifest.ParseSigningKey(cfg.Evidence.SigningKey); err != nil {
			return nil, err
		}
	}
	bucket, err := OpenBucket(ctx, cfg)
	if err != nil {
		return nil, err
	}
	databases, err := OpenDatabases(ctx, cfg)
	if err != nil {
		return nil, err
	}
	a := &App{Databases: databases, Bucket: bucket, Key: key, Signing: signing, cfg: cfg, options: options}
	if cfg.Evidence.TimestampURL != "" {
		a.timestamps = timestamp.New(cfg.Evidence.TimestampURL)
	}
	if a.Vendor, a.Quota, err = OpenVendor(cfg, databases.Ledger, options); err != nil {
		a.Close(ctx)
		return nil, err
	}
	a.unfollow = options.Telemetry.Follow(context.WithoutCancel(ctx), telemetry.Sources{Figures: a.Ledger.Figures, Quota: a.QuotaUse()})
	return a, nil
}

// Close gives the quota's slots back and closes the connections, also when ctx
// has ended.
func (a *App) Close(ctx context.Context) {
	if a.unfollow != nil {
		a.unfollow(ctx)
	}
	if a.Vendor != nil {
		a.Vendor.CloseIdleConnections()
	}
	if a.timestamps != nil {
		a.timestamps.CloseIdleConnections()
	}
	if a.Quota != nil {
		a.closeQuota(ctx)
	}
	a.Databases.Close()
}

// OpenBucket prepares access to the bucket; it sends no request.
func OpenBucket(ctx context.Context, cfg *config.Config) (*bucket.Bucket, error) {
	archive := cfg.Archive
	return bucket.Open(ctx, bucket.Config{
		Bucket:         archive.Bucket,
		Region:         archive.Region,
		Endpoint:       archive.Endpoint,
		ForcePathStyle: archive.ForcePathStyle,
		Encryption:     bucket.Encryption{Mode: archive.Encryption.Mode, KMSKeyID: archive.Encryption.KMSKeyID},
		ObjectLock:     bucket.ObjectLock{Mode: archive.ObjectLock.Mode, Days: archive.ObjectLock.Days},
		MaxConnections: 2 * cfg.Worker.Concurrency, // images, and the small requests around them
		Attempts:       cfg.Worker.Attempts,
	})
}

// OpenVendor makes the client of Vlens and the quota in front of it, which is nil
// when there is no limit. The caller closes the quota; the ledger stays open
// until then.
func OpenVendor(cfg *config.Config, ledger *postgres.Ledger, options Options) (*vlens.Client, *postgres.Quota, error) {
	v := cfg.Vlens
	settings := vlens.Config{
		BaseURL:       v.BaseURL,
		APIKey:        v.APIKey.Reveal(),
		TenancyName:   v.TenancyName,
		Username:      v.Username.Reveal(),
		Password:      v.Password.Reveal(),
		Timeout:       v.Timeout,
		MaxImageBytes: int64(v.MaxImageBytes),
		Attempts:      cfg.Worker.Attempts,
		Codes:         vlens.Codes(v.Codes),
		Memory:        semaphore.NewWeighted(int64(cfg.Worker.Memory)),
		UserAgent:     "vlens-archiver/" + options.Tool.Version,
	}
	quota := newQuota(cfg, ledger, options)
	if quota != nil {
		settings.Quota = quota
	}
	client, err := vlens.New(settings)
	return client, quota, err
}
