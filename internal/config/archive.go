package config

import "vlens-archiver/store"

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

// Evidence is the signed log of what was archived.
type Evidence struct {
	// Origin names the log and its key, as a C2SP signed note does: no spaces,
	// plus signs or scheme. Default vlens-archive/ and the tenancy name.
	Origin string `yaml:"origin"`
	// SigningKey signs checkpoints, read by manifest.ParseSigningKey; it names
	// Origin. Default "": archive now, seal later.
	SigningKey store.Sensitive `yaml:"signing_key"`
	// TimestampURL is an RFC 3161 time-stamping authority. Default "": none.
	TimestampURL string `yaml:"timestamp_url"`
}
