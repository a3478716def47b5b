package bucket

import (
	"time"

	"vlens-archiver/store"
)

// Config says which bucket and how to reach it.
type Config struct {
	Bucket string
	// Region may be empty when the environment or the AWS profile has one.
	Region string
	// Endpoint is the URL of an S3-compatible service; empty means AWS.
	Endpoint string
	// ForcePathStyle puts the bucket in the path of URLs, not in the host name.
	ForcePathStyle bool
	Encryption     Encryption
	ObjectLock     ObjectLock
	// MaxConnections bounds the connections to the service; 0 means 32.
	MaxConnections int
	// Attempts is how often a request is tried; 0 means 4.
	Attempts int
	// Stall is how long a connection may pass no byte; 0 means one minute.
	Stall time.Duration
	// CredentialsWait bounds one retrieval of AWS credentials; 0 means 15 s.
	CredentialsWait time.Duration
	// AccessKey and SecretKey replace the AWS SDK's chain of credential sources
	// (environment, profile, workload identity), for tests and measurements.
	AccessKey string
	SecretKey store.Sensitive
}

// The modes of encryption at rest.
const (
	EncryptionNone = "none"    // what the bucket does by default
	EncryptionS3   = "sse-s3"  // keys of the service
	EncryptionKMS  = "sse-kms" // a key of AWS KMS
)

// Encryption is asked for with each object.
type Encryption struct {
	Mode     string // one of the constants; empty means none
	KMSKeyID string // for sse-kms; empty means the account's key for S3
}

// The modes of object lock.
const (
	LockNone       = "none"
	LockGovernance = "governance" // privileged users can lift it
	LockCompliance = "compliance" // nobody can
)

// ObjectLock is put on each object that is not Unlocked. The bucket must have
// been created with object lock.
type ObjectLock struct {
	Mode string // one of the constants; empty means none
	Days int    // from the moment of writing
}
