package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

const (
	adviseLock       = "use a service that enforces object lock, or do not rely on archive.object_lock: on this one locked evidence can be deleted"
	adviseLockRights = "attach deploy/iam/writer-policy.json to the role: it needs s3:PutObjectRetention and s3:GetObjectRetention"
	adviseBypass     = "take s3:BypassGovernanceRetention from the role, as deploy/iam/bucket-policy.json does"
	adviseDelete     = "take s3:DeleteObject and s3:DeleteObjectVersion from the role, as deploy/iam/bucket-policy.json does"
	adviseHidden     = "use a service whose versions can be read under a delete marker: on this one a deletion is a loss"
)

// canaryLock is how long the canary of the lock is locked.
const canaryLock = time.Minute

func lockCheck() check {
	return check{
		name: "bucket.lock", tried: "lock an object for 60 s, then try to delete it and to shorten the lock",
		remedies: []string{adviseLock, adviseMakeLocked, adviseLockRights, adviseBypass, adviseBucketReach}, needs: []string{canaryPut, bucketLock},
		run: (*examination).tryLock,
	}
}

func deleteCheck() check {
	return check{
		name: "bucket.delete", tried: "delete one of these objects, which the role should not be able to",
		remedies: []string{adviseDelete, adviseHidden, adviseBucketReach}, needs: []string{canaryPut},
		run: (*examination).tryDelete,
	}
}

// lockEnd is a minute from now by the clock of the service.
func (e *examination) lockEnd() time.Time {
	now := e.setup.Now()
	if e.bucketSkew != nil {
		now = now.Add(-e.bucketSkew.ahead)
	}
	return now.Add(canaryLock)
}

func (e *examination) tryLock(ctx context.Context) finding {
	mode := e.cfg.Archive.ObjectLock.Mode
	if mode == config.LockNone {
		if !e.lock.Enabled {
			return skip("nothing is to be locked, and the bucket has no object lock")
		}
		mode = cmp.Or(e.lock.DefaultMode, config.LockGovernance)
	}
	canary, until := e.useCanaries().named("lock"), e.lockEnd()
	object, err := e.canaries.put(ctx, canary, bucket.CanaryPut{Body: firstBytes, LockMode: mode, LockUntil: until})
	switch {
	case errors.Is(err, store.ErrDenied):
		return failed(adviseLockRights, err)
	case err != nil:
		return undecided(err, adviseMakeLocked)
	}
	head, err := e.bucket.Head(ctx, canary.Key, object.VersionID)
	switch {
	case err != nil:
		return undecided(err, adviseBucketReach)
	case head.LockMode != mode || head.RetainUntil.Before(until.Add(-time.Second)):
		return broken(adviseLock, "the lock was accepted, but the object says %q until %s", head.LockMode, head.RetainUntil.UTC().Format(time.RFC3339))
	}
	return e.breakLock(ctx, canary, object.VersionID, mode, until)
}

// breakLock tries to do what the lock of an object forbids.
func (e *examination) breakLock(ctx context.Context, canary bucket.Canary, version, mode string, until time.Time) finding {
	for _, try := range []struct {
		what string
		do   func() error
	}{
		{"its lock could be shortened", func() error { return canary.Relock(ctx, version, mode, until.Add(-canaryLock/2)) }},
		{"it could be deleted", func() error { return canary.Delete(ctx, version, false) }},
	} {
		err := try.do()
		if err == nil {
			return broken(adviseLock, "an object is locked (%s), and %s", mode, try.what).with("mode", mode)
		}
		if _, refused := bucket.Refused(err); !refused {
			return failed(adviseBucketReach, err)
		}
	}
	if _, err := e.bucket.Head(ctx, canary.Key, version); err != nil {
		return broken(adviseLock, "the deletion of a locked object was refused, and yet it is gone").with("mode", mode)
	}
	if mode == config.LockGovernance && canary.Delete(ctx, version, true) == nil {
		return warn(adviseBypass, "the lock (%s) holds, but this role may pass over it", mode).with("mode", mode).with("bypass", true)
	}
	return ok("the lock (%s) holds: neither deleted nor shortened", mode).with("mode", mode).with("bypass", false)
}

func (e *examination) tryDelete(ctx context.Context) finding {
	canary := e.canaries.named("create")
	before, err := e.bucket.Head(ctx, canary.Key, "")
	if err != nil {
		return undecided(err, adviseBucketReach)
	}
	err = canary.Delete(ctx, "", false)
	if errors.Is(err, store.ErrDenied) {
		left := e.canaries.remove(ctx)
		return ok("refused: the role cannot delete; %d small objects stay under %s", left, e.canaries.place()).
			with("may_delete", false).with("left", left).with("under", e.canaries.place())
	}
	if _, refused := bucket.Refused(err); err != nil {
		if refused {
			return failed(adviseDelete, err)
		}
		return failed(adviseBucketReach, err)
	}
	if e.versioned {
		if _, err := e.bucket.Head(ctx, canary.Key, before.VersionID); err != nil {
			return broken(adviseHidden, "after a deletion without a version the version cannot be read: %s", err)
		}
	}
	left := e.canaries.remove(ctx)
	text := "the role may delete"
	if e.versioned {
		text += "; what is deleted is hidden, and its versions stay"
	}
	if left > 0 {
		text += fmt.Sprintf("; %d objects stay under %s, locked for a minute", left, e.canaries.place())
	}
	return warn(adviseDelete, "%s", text).with("may_delete", true).with("left", left).with("under", e.canaries.place())
}
