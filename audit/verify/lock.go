package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vlens-archiver/store"
)

// compliance is the lock that nobody can lift, in the words of a location.
const compliance = "compliance"

// lockSlack is allowed between the moment from which a writer counts the days
// and the one that the service notes as that of the write.
const lockSlack = time.Hour

// checkLock compares the lock of an object with what the configuration asks for.
// A listing has no locks, so that the default mode does not check them. Some
// services return the lock with a HEAD only.
func (v *Verifier) checkLock(ctx context.Context, o store.Object) error {
	asked := v.Bucket.Location()
	if v.Mode == store.VerifyDefault || asked.LockDays == 0 || o.Key == v.Layout.Checkpoint() || strings.HasPrefix(o.Key, v.Layout.Audits()) {
		return nil
	}
	if o.LockMode == "" {
		var err error
		if o, err = v.Bucket.Head(ctx, o.Key, o.VersionID); err != nil {
			return err
		}
	}
	until := o.LastModified.AddDate(0, 0, asked.LockDays)
	switch {
	case o.LockMode == "":
		v.found.add(Finding{LockShort, o.Key, "it has no lock"})
	case asked.LockMode == compliance && o.LockMode != compliance:
		v.found.add(Finding{LockShort, o.Key, fmt.Sprintf("its lock is %s, %s is asked for", o.LockMode, asked.LockMode)})
	case o.RetainUntil.Before(until.Add(-lockSlack)):
		v.found.add(Finding{LockShort, o.Key, fmt.Sprintf("it is locked until %s, %d days from when it was written end at %s",
			o.RetainUntil.UTC().Format(time.RFC3339), asked.LockDays, until.UTC().Format(time.RFC3339))})
	}
	return nil
}
