package config

import (
	"errors"
	"slices"
	"strings"

	"vlens-archiver/store"
)

// The values of encryption.mode.
const (
	EncryptionNone   = "none"
	EncryptionSSES3  = "sse-s3"
	EncryptionSSEKMS = "sse-kms"
)

// The values of object_lock.mode.
const (
	LockNone       = "none"
	LockGovernance = "governance"
	LockCompliance = "compliance"
)

// Archive is the company's bucket. AWS credentials are not configured here:
// they come from the SDK's default chain.
type Archive struct {
	// Bucket is the bucket's name. Required.
	Bucket string `yaml:"bucket"`
	// Prefix stands before every key, without slashes at its ends; it may be
	// empty. Default vlens.
	Prefix string `yaml:"prefix"`
	// Region is the bucket's region. Default me-central-1.
	Region string `yaml:"region"`
	// Endpoint is the URL of an S3-compatible service. Default "": AWS.
	Endpoint string `yaml:"endpoint"`
	// ForcePathStyle puts the bucket in the path rather than the host name, as
	// many S3-compatible services need. Default false.
	ForcePathStyle bool `yaml:"force_path_style"`
	// SubjectKey is at least 32 bytes in base64, read by store.ParseSubjectKey.
	// Required. It cannot be rotated: pseudonyms depend on it.
	SubjectKey store.Sensitive `yaml:"subject_key"`
	Encryption Encryption      `yaml:"encryption"`
	ObjectLock ObjectLock      `yaml:"object_lock"`
}

// Encryption is the server-side encryption asked for with every object.
type Encryption struct {
	// Mode is none, sse-s3 or sse-kms. Default sse-s3.
	Mode string `yaml:"mode"`
	// KMSKeyID is for sse-kms only. Default "": the account's own S3 key.
	KMSKeyID string `yaml:"kms_key_id"`
}

// ObjectLock is the retention asked for with every object.
type ObjectLock struct {
	// Mode is none, governance or compliance. Default none.
	Mode string `yaml:"mode"`
	// Days is the retention from the moment of writing, 1 to 36500 with a lock
	// and 0 without. Default 0.
	Days int `yaml:"days"`
}

// maxLockDays is the longest retention S3 takes, 100 years (Amazon S3 API
// Reference, "DefaultRetention").
const maxLockDays = 36500

func (c checker) archive(a *Archive) {
	c.required("archive.bucket", a.Bucket)
	c.expect(!strings.ContainsFunc(a.Bucket, notInName) && !strings.Contains(a.Bucket, "/"), "archive.bucket", "expected the bucket's name, without s3:// or a path")
	c.expect(isPrefix(a.Prefix), "archive.prefix", `expected a path such as kyc/vlens, without a slash at its ends, empty, "." or ".." parts, spaces or backslashes`)
	c.expect(a.Region != "" && !strings.ContainsFunc(a.Region, notInName), "archive.region", "expected a region such as me-central-1")
	c.optionalURL("archive.endpoint", a.Endpoint)
	c.subjectKey(a.SubjectKey)

	c.oneOf("archive.encryption.mode", a.Encryption.Mode, EncryptionNone, EncryptionSSES3, EncryptionSSEKMS)
	c.expect(a.Encryption.KMSKeyID == "" || a.Encryption.Mode == EncryptionSSEKMS, "archive.encryption.kms_key_id", "is for the mode sse-kms only")

	c.oneOf("archive.object_lock.mode", a.ObjectLock.Mode, LockNone, LockGovernance, LockCompliance)
	if a.ObjectLock.Mode == LockNone {
		// A retention that has no effect would be taken for one that has.
		c.expect(a.ObjectLock.Days == 0, "archive.object_lock.days", "has no effect with the mode none; expected 0")
	} else {
		c.between("archive.object_lock.days", a.ObjectLock.Days, 1, maxLockDays)
	}
}

func (c checker) subjectKey(key store.Sensitive) {
	const name = "archive.subject_key"
	c.required(name, key.Reveal())
	_, err := store.ParseSubjectKey(key)
	if errors.Is(err, store.ErrShortSubjectKey) {
		c.found.add(name, "expected at least 32 bytes in base64, as `openssl rand -base64 32` makes them; it has fewer")
	} else if err != nil {
		c.found.add(name, "expected base64, as `openssl rand -base64 32` makes it")
	}
}

func isPrefix(prefix string) bool {
	if prefix == "" {
		return true
	}
	for part := range strings.SplitSeq(prefix, "/") {
		if slices.Contains([]string{"", ".", ".."}, part) {
			return false
		}
	}
	return !strings.ContainsFunc(prefix, notInName) && !strings.Contains(prefix, `\`)
}
