package app

import (
	"context"
	"log/slog"

	"golang.org/x/sync/semaphore"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens"
)

// Options say for what an App is opened.
type Options struct {
	Tool manifest.Tool
	Log  *slog.Logger
	// RunID and RunPerMinute are the run whose own limit, in requests a minute,
	// holds beside the quota; 0 is no such limit.
	RunID        string
	RunPerMinute int
	// WorkerName is the name of the pod or host.
	WorkerName string
}

// App is everything a run works with. Its owner closes it.
type App struct {
	*Databases
	Bucket *bucket.Bucket
	Vendor *vlens.Client
	Quota  *postgres.Quota // nil when there is no limit
	Key    store.SubjectKey

	cfg     *config.Config
	options Options
}

// Open opens all parts. It connects to the databases; bucket and vendor are
// first spoken to by whoever uses them.
func Open(ctx context.Context, cfg *config.Config, options Options) (*App, error) {
	key, err := store.ParseSubjectKey(cfg.Archive.SubjectKey)
	if err != nil {
		return nil, err
	}
	bucket, err := openBucket(ctx, cfg)
	if err != nil {
		return nil, err
	}
	databases, err := OpenDatabases(ctx, cfg)
	if err != nil {
		return nil, err
	}
	a := &App{Databases: databases, Bucket: bucket, Key: key, cfg: cfg, options: options}
	if a.Vendor, err = a.openVendor(); err != nil {
		a.Close(ctx)
		return nil, err
	}
	return a, nil
}

// Close gives the quota's slots back and closes the connections, also when ctx
// has ended.
func (a *App) Close(ctx context.Context) {
	if a.Vendor != nil {
		a.Vendor.CloseIdleConnections()
	}
	if a.Quota != nil {
		a.closeQuota(ctx)
	}
	a.Databases.Close()
}

func openBucket(ctx context.Context, cfg *config.Config) (*bucket.Bucket, error) {
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

func (a *App) openVendor() (*vlens.Client, error) {
	v := a.cfg.Vlens
	config := vlens.Config{
		BaseURL:       v.BaseURL,
		APIKey:        v.APIKey.Reveal(),
		TenancyName:   v.TenancyName,
		Username:      v.Username.Reveal(),
		Password:      v.Password.Reveal(),
		Timeout:       v.Timeout,
		MaxImageBytes: int64(v.MaxImageBytes),
		Attempts:      a.cfg.Worker.Attempts,
		Codes:         vlens.Codes(v.Codes),
		Memory:        semaphore.NewWeighted(int64(a.cfg.Worker.Memory)),
		Connections:   a.cfg.Worker.Concurrency,
		UserAgent:     "vlens-archiver/" + a.options.Tool.Version,
	}
	if a.Quota = a.newQuota(); a.Quota != nil {
		config.Quota = a.Quota
	}
	return vlens.New(config)
}
