package verify

import "sync/atomic"

// Progress is what a verification has done at one moment.
type Progress struct {
	Phase   string // archive, audit, log, runs, subjects
	Objects int64
	// Total is how many objects the ledger has; 0 when only a part is checked.
	Total   int64
	Bytes   int64 // read
	Damaged int64 // findings so far
}

// progress counts. Its fields may be changed from any goroutine.
type progress struct {
	current  atomic.Pointer[string]
	total    atomic.Int64
	subjects atomic.Int64
	objects  atomic.Int64 // images, records, run files and parts of the log
	images   atomic.Int64
	records  atomic.Int64
	runs     atomic.Int64
	entries  atomic.Int64
	bytes    atomic.Int64
	decoded  atomic.Int64
	skipped  atomic.Int64 // subjects outside the sample
	damaged  atomic.Int64
	underWay atomic.Int64 // objects of attempts in progress
}

func (p *progress) phase(name string) { p.current.Store(&name) }

// Progress tells how far the verification is. It may be called at any time.
func (v *Verifier) Progress() Progress {
	now := Progress{
		Objects: v.progress.objects.Load(),
		Total:   v.progress.total.Load(),
		Bytes:   v.progress.bytes.Load(),
	}
	now.Damaged = v.progress.damaged.Load()
	if phase := v.progress.current.Load(); phase != nil {
		now.Phase = *phase
	}
	return now
}
