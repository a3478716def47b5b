package worker_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// How many images a process of the tests asks for at a time, and how many users it
// works on.
const inFlight, usersInFlight = 16, 8

// refusal is what a gateway answers in place of the bucket.
type refusal struct {
	status int
	code   string
}

func (r refusal) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(r.status)
	if r.code != "" {
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>words of the service</Message></Error>", r.code)
	}
}

// refuse puts a gateway before the bucket that answers the requests that fit with
// the refusal, until it is opened.
func refuse(tn *archivetest.Tenant, with refusal, fits func(*http.Request) bool) (open func()) {
	tn.T.Helper()
	direct := tn.S3URL
	tn.S3URL = archivetest.Gateway(tn.T, direct, func(w http.ResponseWriter, r *http.Request) bool {
		if !fits(r) {
			return false
		}
		with.answer(w)
		return true
	})
	return func() { tn.S3URL = direct }
}

// putsOf fits the writes of objects whose names end so, all after the first few.
func putsOf(ending string, after int64) func(*http.Request) bool {
	var seen atomic.Int64
	return func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/subjects/") &&
			strings.HasSuffix(r.URL.Path, ending) && seen.Add(1) > after
	}
}

// A bucket that begins to refuse writes stops the run, whatever its reason: the
// vendor is asked for what was in flight and no more, nobody gets an outcome for
// it, and the next run pays for nothing again that is stored.
func TestRefusedWritesStopTheRun(t *testing.T) {
	t.Parallel()
	const users, storedBefore = 30, 4 * vlenstest.KindCount
	images := func() func(*http.Request) bool { return putsOf(".jpg", storedBefore) }
	records := func() func(*http.Request) bool { return putsOf(".json", 4) }
	for name, c := range map[string]struct {
		refusal
		fits func() func(*http.Request) bool
		kind error
		says string
	}{
		"the KMS key is disabled":            {refusal{400, "KMS.DisabledException"}, images, store.ErrBucketRefuses, "enable the KMS key"},
		"the KMS key is disabled, a record":  {refusal{400, "KMS.DisabledException"}, records, store.ErrBucketRefuses, "enable the KMS key"},
		"the bucket has no lock":             {refusal{400, "InvalidRequest"}, images, store.ErrBucketRefuses, "words of the service; doctor shows"},
		"an unknown code":                    {refusal{400, "SomethingNew"}, images, store.ErrBucketRefuses, "words of the service; doctor shows"},
		"the disk is full":                   {refusal{507, "XMinioStorageFull"}, images, store.ErrBucketRefuses, "make room"},
		"the disk is full, a record":         {refusal{507, "InsufficientStorage"}, records, store.ErrBucketRefuses, "make room"},
		"the quota of the bucket is used up": {refusal{403, "QuotaExceeded"}, images, store.ErrBucketRefuses, "make room"},
		"the right to write is taken away":   {refusal{403, "AccessDenied"}, images, store.ErrDenied, "s3:PutObject"},
		"the bucket has moved":               {refusal{301, "PermanentRedirect"}, images, store.ErrRegion, "archive.region"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 3, ImageBytes: 8 << 10})
			open := refuse(tn, c.refusal, c.fits())
			p := tn.Process("first", nil)
			defer p.Close()
			_, err := p.Run(t.Context(), t.Context())
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.code) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v", err)
			}
			checkOnlyInFlight(tn)
			if n := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE outcome <> 'archived'`); n != 0 {
				t.Errorf("%d users have an outcome for what the bucket refused", n)
			}

			open()
			report := tn.Run("second", nil)
			if report.WorkLeft || report.Totals.Users["archived"] != users {
				t.Errorf("after the rerun: %+v, failures %+v", report.Totals.Users, report.Totals.Failures)
			}
			tn.CheckWhole(users)
			if again := tn.Sim.Requests(vlenstest.Image) - users*vlenstest.KindCount; again > inFlight {
				t.Errorf("%d images were asked for again, at most %d were in flight", again, inFlight)
			}
		})
	}
}

// checkOnlyInFlight compares what was asked of the vendor with what is stored.
func checkOnlyInFlight(tn *archivetest.Tenant) {
	tn.T.Helper()
	stored := 0
	for key := range tn.ObjectsUnder(archivetest.Prefix + "/subjects/") {
		if strings.HasSuffix(key, ".jpg") {
			stored++
		}
	}
	if lost := tn.Sim.Requests(vlenstest.Image) - stored; lost > inFlight {
		tn.T.Errorf("%d images were asked for and are not stored, at most %d were in flight", lost, inFlight)
	}
	done := tn.Count(`SELECT count(*) FROM archive.outcomes`)
	if lists := int64(tn.Sim.Requests(vlenstest.List)); lists > done+usersInFlight {
		tn.T.Errorf("%d users were listed and %d are done, at most %d were in flight", lists, done, usersInFlight)
	}
}

// A no to one object is the failure of its user, who is tried again, and of no
// fault in this program.
func TestRefusedObjectFailsItsUser(t *testing.T) {
	t.Parallel()
	const users = 6
	for name, c := range map[string]struct {
		refusal
		outcome string
		fits    func(key string) func(*http.Request) bool
	}{
		"it is too large":               {refusal{400, "EntityTooLarge"}, "partial", putOf},
		"it is too large for a gateway": {refusal{413, ""}, "partial", putOf},
		"what stands cannot be read":    {refusal{400, ""}, "failed", headOf},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 4, ImageBytes: 8 << 10})
			key := leftImage(tn, c.outcome == "failed")
			open := refuse(tn, c.refusal, c.fits(key))
			report := tn.Run("first", nil)
			if got := report.Totals.Users["archived"]; got != users-1 {
				t.Errorf("%d users are archived, want all but one of %d: %+v", got, users, report.Totals.Failures)
			}
			if got := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE run_id = 'first' AND outcome = $1 AND class = 'storage_error'`, c.outcome); got != 1 {
				t.Errorf("%d users are %s by storage_error, want one: %+v", got, c.outcome, report.Totals.Failures)
			}

			open()
			tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now() WHERE state <> 'archived'`)
			if report := tn.Run("again", nil); report.Totals.Users["archived"] != users {
				t.Errorf("after the rerun: %+v", report.Totals.Failures)
			}
			tn.CheckWhole(users)
		})
	}
}

func putOf(key string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, key) }
}

func headOf(key string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, key) }
}

// leftImage is the key of some user's image. When it is to be there already, it
// was left by a run that could write no record.
func leftImage(tn *archivetest.Tenant, there bool) string {
	tn.T.Helper()
	if !there {
		for key := range archivetest.ExpectedImages(tn.Sim, tn.UserIDs()[0]) {
			return key + ".jpg"
		}
	}
	open := refuse(tn, refusal{400, "SomethingNew"}, putsOf(".json", 0))
	defer open()
	p := tn.Process("stopped", func(config *worker.Config) { config.Concurrency = 1 })
	defer p.Close()
	if _, err := p.Run(tn.T.Context(), tn.T.Context()); !errors.Is(err, store.ErrBucketRefuses) {
		tn.T.Fatal(err)
	}
	for key := range tn.ObjectsUnder(archivetest.Prefix + "/subjects/") {
		return key
	}
	tn.T.Fatal("no image is left")
	return ""
}

// One object that the bucket does not take is the failure of its user, and soon,
// though nobody else asks the bucket for anything.
func TestOneObjectIsNeverTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		users  int
		object string
		end    string
	}{
		"an image":           {12, "/id_back.", "partial storage_error "},
		"a record":           {12, ".json", "failed storage_error "},
		"of the only person": {1, ".json", "failed storage_error "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: c.users, Seed: 26, ImageBytes: 8 << 10})
			const user = "u-000001"
			refuse(tn, refusal{http.StatusServiceUnavailable, "SlowDown"}, func(r *http.Request) bool {
				return r.Method == http.MethodPut && strings.Contains(r.URL.Path, archivetest.SubjectOf(user)) &&
					strings.Contains(r.URL.Path, c.object)
			})
			report := tn.Run("first", func(config *worker.Config) { config.OutageBound = 5 * time.Minute })
			if got := report.Totals.Users["archived"]; got != int64(c.users-1) {
				t.Errorf("%d users are archived, want all but one of %d", got, c.users)
			}
			if got := ends(tn, "first")[user]; !strings.HasPrefix(got, c.end) {
				t.Errorf("the user ended as %s, want %s", got, c.end)
			}
		})
	}
}

// A bucket that answers, and takes none of the images, does not cost the quota of
// everybody: the run ends.
func TestBucketThatTakesNoImages(t *testing.T) {
	t.Parallel()
	const users = 60
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 27, ImageBytes: 8 << 10})
	refuse(tn, refusal{http.StatusServiceUnavailable, "SlowDown"}, func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/subjects/")
	})
	p := tn.Process("first", func(config *worker.Config) { config.OutageBound = 5 * time.Minute })
	defer p.Close()
	_, err := p.Run(t.Context(), t.Context())
	if !errors.Is(err, worker.ErrBreaker) || !strings.Contains(err.Error(), "check the S3 service") {
		t.Errorf("the run ended with %v", err)
	}
	// Twenty, and those who were in flight beside the twentieth.
	if ended := len(ends(tn, "first")); ended < 20 || ended > 28 {
		t.Errorf("%d users ended", ended)
	}
}
