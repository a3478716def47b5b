package doctor

import (
	"context"
	"errors"
	"time"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
	"vlens-archiver/store"
)

const (
	adviseBucketExists = "create the bucket, or correct archive.bucket, archive.region or archive.endpoint"
	adviseBucketReach  = "check archive.endpoint, archive.force_path_style, DNS, and the network policy's egress to the service"
	adviseBucketRights = "renew the AWS credentials of this process, or attach deploy/iam/writer-policy.json to its role"
	adviseRegion       = "set archive.region to the region of the bucket"
	adviseVersioning   = "turn versioning on for the bucket: without it an object that is deleted or replaced is gone"
	adviseMakeLocked   = "create a bucket with object lock, or set archive.object_lock.mode to none"
	adviseDefaultLock  = "know that the bucket locks objects for which archive.object_lock asks for nothing, among them the log's checkpoint; set the mode, and remove the bucket's default"
	adviseEncryption   = "set archive.encryption.mode, or a default encryption for the bucket"
	adviseReadSettings = "allow the reading of the bucket's settings as in deploy/iam/writer-policy.json; services without this question need nothing"
	adviseBucketClock  = "set this machine's clock, for example with NTP; S3 refuses requests from 15 minutes on"
)

const (
	bucketAccess     = "bucket.access"
	bucketVersioning = "bucket.versioning"
	bucketLock       = "bucket.lock_setting"
)

func bucketChecks() []check {
	return []check{
		{
			name: bucketAccess, tried: "list one object under archive.prefix",
			remedies: []string{adviseBucketExists, adviseRegion, adviseBucketRights, adviseBucketReach}, needs: []string{configFile},
			run: (*examination).openBucket,
		},
		{
			name: "bucket.region", tried: "ask for the bucket's region",
			remedies: []string{adviseRegion, adviseReadSettings}, needs: []string{bucketAccess},
			run: (*examination).compareRegion,
		},
		{
			name: "bucket.clock", tried: "compare this machine's clock with the Date of an answer",
			remedies: []string{adviseBucketClock}, needs: []string{bucketAccess},
			run: func(e *examination, _ context.Context) finding { return judgeSkew(e.bucketSkew, adviseBucketClock) },
		},
		{
			name: bucketVersioning, tried: "ask whether the bucket keeps versions",
			remedies: []string{adviseVersioning, adviseReadSettings}, needs: []string{bucketAccess},
			run: (*examination).readVersioning,
		},
		{
			name: bucketLock, tried: "ask whether the bucket was made with object lock",
			remedies: []string{adviseMakeLocked, adviseDefaultLock, adviseReadSettings}, needs: []string{bucketAccess},
			run: (*examination).readLock,
		},
		{
			name: "bucket.encryption", tried: "ask for the bucket's default encryption",
			remedies: []string{adviseEncryption, adviseReadSettings}, needs: []string{bucketAccess},
			run: (*examination).readEncryption,
		},
	}
}

func (e *examination) openBucket(ctx context.Context) finding {
	opened, err := app.OpenBucket(ctx, e.cfg)
	if err != nil {
		return failed(adviseBucketRights, err)
	}
	e.bucket = opened
	for _, err := range opened.List(ctx, e.layout().Archive()) {
		switch {
		case errors.Is(err, store.ErrBucketMissing):
			return failed(adviseBucketExists, err)
		case errors.Is(err, store.ErrRegion):
			return failed(adviseRegion, err)
		case errors.Is(err, store.ErrDenied):
			return failed(adviseBucketRights, err)
		case err != nil:
			return failed(adviseBucketReach, err)
		}
		break
	}
	return ok("bucket %q can be listed", e.cfg.Archive.Bucket)
}

func (e *examination) compareRegion(ctx context.Context) finding {
	asked := e.setup.Now()
	greeting, err := e.bucket.Greet(ctx)
	if err != nil {
		return unsure(adviseReadSettings, err)
	}
	e.bucketSkew = compareClocks(asked, e.setup.Now(), greeting.ServerTime, time.Second)
	configured := e.cfg.Archive.Region
	var f finding
	switch greeting.Region {
	case "":
		f = ok("the service names no region")
	case configured:
		f = ok("%s, as configured", configured)
	default:
		f = misfit(adviseRegion, "the bucket is in %s, archive.region is %s: records would state the wrong one", greeting.Region, configured)
	}
	return f.with("region", greeting.Region)
}

func (e *examination) readVersioning(ctx context.Context) finding {
	versioned, err := e.bucket.KeepsVersions(ctx)
	if err != nil {
		return unsure(adviseReadSettings, err)
	}
	e.versioned = versioned
	if !versioned {
		return warn(adviseVersioning, "it keeps the last version only").with("versioning", false)
	}
	return ok("it keeps every version").with("versioning", true)
}

func (e *examination) readLock(ctx context.Context) finding {
	lock, err := e.bucket.LockSetting(ctx)
	wanted := e.cfg.Archive.ObjectLock.Mode
	if err != nil {
		return unsure(adviseReadSettings, err)
	}
	e.lock = lock
	var f finding
	switch {
	case !lock.Enabled && wanted != config.LockNone:
		f = misfit(adviseMakeLocked, "the bucket has no object lock, archive.object_lock.mode is %s: every write would be refused", wanted)
	case lock.DefaultMode != "" && wanted == config.LockNone:
		f = warn(adviseDefaultLock, "the bucket locks by default (%s), archive.object_lock.mode is none", lock.DefaultMode)
	case lock.Enabled:
		f = ok("objects can be locked")
	default:
		f = ok("objects cannot be locked, and are not to be")
	}
	return f.with("object_lock", lock.Enabled).with("default_mode", lock.DefaultMode)
}

func (e *examination) readEncryption(ctx context.Context) finding {
	algorithm, err := e.bucket.DefaultEncryption(ctx)
	wanted := e.cfg.Archive.Encryption.Mode
	var f finding
	switch {
	case wanted != config.EncryptionNone && (err != nil || algorithm == ""):
		f = ok("%s is asked for with every object; the bucket has no default of its own that it tells", wanted)
	case err != nil:
		return unsure(adviseReadSettings, err)
	case algorithm == "":
		f = warn(adviseEncryption, "none: objects are stored as they are")
	default:
		f = ok("%s by default, %s is asked for", algorithm, wanted)
	}
	return f.with("default", algorithm).with("asked_for", wanted)
}
