package app

import (
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/worker"
)

const (
	// silence is when a worker stops touching its users. It leaves those who take
	// them over, at store.TakeoverAfter, a quarter of a minute.
	silence = store.TakeoverAfter - 15*time.Second
	// grace is what users in flight have once the process is to stop; see StopTime.
	grace = 25 * time.Second
	// outageBound is how long a service may be away before a run gives up.
	outageBound = 10 * time.Minute
	// sealEvery and sealRecords are when the log is sealed during a run.
	sealEvery   = 15 * time.Minute
	sealRecords = 1000
)

// Task says which run a worker takes part in, and how.
type Task struct {
	Run         store.Run
	Rejoinable  bool // the run's id was given: somebody may come back to it
	MaxDuration time.Duration
	Limit       int // users this process claims; 0 is no limit
	AcceptLeft  bool
}

// Worker makes the worker for a task. It works with the parts of a, which must
// stay open until its run is over.
func (a *App) Worker(task Task) *worker.Worker {
	cfg := a.cfg
	parts := worker.Parts{
		Users:   a.Users,
		Ledger:  a.Ledger,
		Bucket:  a.Bucket,
		Vendor:  a.Vendor,
		Key:     a.Key,
		Signing: a.Signing,
		Log:     a.options.Log,

		Reporter: runReporter{a},
	}
	if a.timestamps != nil {
		parts.Timestamps = a.timestamps
	}
	return worker.New(worker.Config{
		Run:              task.Run,
		Rejoinable:       task.Rejoinable,
		WorkerName:       a.options.WorkerName,
		Concurrency:      cfg.Worker.Concurrency,
		RecheckAfter:     cfg.Worker.RecheckAfter,
		MaxDuration:      task.MaxDuration,
		Limit:            task.Limit,
		Grace:            grace,
		OutageBound:      outageBound,
		Heartbeat:        store.HeartbeatEvery,
		Silence:          silence,
		SealEvery:        sealEvery,
		SealRecords:      sealRecords,
		AllowPersonalIDs: cfg.Source.AllowPersonalIDs,
		AcceptLeft:       task.AcceptLeft,
		Identifiers:      Identifiers(cfg),
		PhoneRegion:      cfg.Source.PhoneRegion,
		Identity:         Identity(cfg, a.Key),
		Layout:           manifest.Layout{Prefix: cfg.Archive.Prefix},
		BaseURL:          cfg.Vlens.BaseURL,
		Tool:             a.options.Tool,
	}, a.options.Telemetry.Measure(parts))
}
