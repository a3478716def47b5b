package worker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens"
)

// Config says what a worker is to do.
type Config struct {
	// Run is the run to open or to join; its times and status are the ledger's.
	Run store.Run
	// Rejoinable says that the run's id was given, so that another process may
	// come back to it: a stop by signal leaves it open. Otherwise the last
	// process that is stopped closes it as interrupted.
	Rejoinable bool
	// WorkerName is the name of the pod or host; a process id is made from it.
	WorkerName string
	// Concurrency is how many images are in flight at once.
	Concurrency int
	// RecheckAfter is when an archived user is listed again; 0 means only when
	// the user's row changes.
	RecheckAfter time.Duration
	// MaxDuration ends this process's part of the run; 0 means no end.
	MaxDuration time.Duration
	// Limit is how many users this process claims at most; 0 means no limit.
	Limit int
	// Grace is how long users in flight may take once the worker is to stop.
	Grace time.Duration
	// OutageBound is how long a service may be away before the run gives up.
	OutageBound time.Duration
	// Heartbeat is the time between two heartbeats, and Silence the age of the
	// last one at which this process stops touching its users. It must be
	// shorter than the time after which others take them over.
	Heartbeat, Silence time.Duration
	// SealEvery is the time, and SealRecords the number of new records, after
	// which this process seals the log, if it has a key.
	SealEvery   time.Duration
	SealRecords int

	AllowPersonalIDs bool
	AcceptLeft       bool
	Identifiers      []Identifier // order to try
	PhoneRegion      string       // ISO 3166 code that local phone numbers belong to

	Identity store.ArchiveIdentity
	Layout   manifest.Layout
	BaseURL  string // of the vendor, for records
	Tool     manifest.Tool
}

// Parts are what a worker works with.
type Parts struct {
	Users  Users
	Ledger Ledger
	Bucket Bucket
	Vendor *vlens.Client
	Key    store.SubjectKey
	// Signing signs the log's checkpoints. The zero value archives and leaves
	// sealing to those who have the key.
	Signing    manifest.SigningKey
	Timestamps Timestamper // nil: none
	Log        *slog.Logger
	// Reporter is nil when runs leave no report.
	Reporter Reporter
}

// Worker is one process's part in one run. It is used once.
type Worker struct {
	Config
	Parts

	began       time.Time        // when Run was called
	stop        context.Context  // see stop.go
	run         store.Run        // as the ledger has it
	process     string           // changes when the process had to enter anew
	lost        string           // the id before, until the ledger knows that it has ended
	counted     map[string]int64 // requests under earlier ids, by endpoint
	progress    *progress
	imagePlaces places // images in flight
	vendor      *vendor
	bucket      *service
	database    *service
	breaker     *breaker
	permission  *permission
	unnamed     *unnamedTransactions
	sealing     *sealing

	leftHeld    int64             // users whom the sync did not mark as left, being too many
	interrupted []store.RunTotals // runs of others that this process closed
}

// New makes a worker.
func New(config Config, parts Parts) *Worker {
	ofRun := parts.Log.With("run_id", config.Run.ID)
	w := &Worker{
		Config:      config,
		Parts:       parts,
		stop:        context.Background(),
		process:     newProcess(config.WorkerName),
		progress:    newProgress(),
		imagePlaces: newPlaces(),
		bucket:      newService("the bucket", config.OutageBound, ofRun),
		database:    newService("the database", config.OutageBound, ofRun),
		breaker:     &breaker{},
		permission:  &permission{},
		unnamed:     &unnamedTransactions{},
		sealing:     &sealing{enough: make(chan struct{}, 1)},
	}
	// archive.json is in the bucket already: the same bytes again change nothing.
	w.bucket.probe = w.beginBucket
	w.vendor = newVendor(func(ctx context.Context) error { return w.Vendor.CheckIn(ctx) }, config.OutageBound, ofRun)
	return w
}

// Progress is what the worker has done so far. It may be read at any time.
func (w *Worker) Progress() Snapshot { return w.progress.snapshot() }

// usersInFlight is enough users to keep that many images in flight while others
// are being listed or committed, and few enough that a stop does not leave many
// half done.
func usersInFlight(concurrency int) int { return max(2, concurrency/2) }

// newProcess is a process id: the worker's name and eight random hex digits.
func newProcess(worker string) string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return worker + "-" + hex.EncodeToString(b[:])
}
