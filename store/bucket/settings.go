package bucket

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// Greeting is the service's answer to the simplest question about the bucket.
type Greeting struct {
	Region string // "" when the service does not tell
	// ServerTime is the Date of the answer, to the second; zero without one.
	ServerTime time.Time
}

// Greet asks whether the bucket exists.
func (b *Bucket) Greet(ctx context.Context) (Greeting, error) {
	output, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.config.Bucket})
	if err != nil {
		return Greeting{}, b.failed("look at", "", err)
	}
	greeting := Greeting{Region: aws.ToString(output.BucketRegion)}
	greeting.ServerTime, _ = awsmiddleware.GetServerTime(output.ResultMetadata)
	return greeting, nil
}

// KeepsVersions reports whether the bucket keeps every version of an object.
func (b *Bucket) KeepsVersions(ctx context.Context) (bool, error) {
	output, err := b.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.config.Bucket})
	if err != nil {
		return false, b.failed("read the versioning of", "", err)
	}
	return strings.EqualFold(string(output.Status), "Enabled"), nil
}

// LockSetting says whether objects of a bucket can be locked, and the retention
// of those that do not ask for one.
type LockSetting struct {
	Enabled     bool
	DefaultMode string // "" without a default
}

// LockSetting reads whether the bucket was made with object lock.
func (b *Bucket) LockSetting(ctx context.Context) (LockSetting, error) {
	output, err := b.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &b.config.Bucket})
	if answersWith(err, "ObjectLockConfigurationNotFoundError") {
		return LockSetting{}, nil
	}
	if err != nil {
		return LockSetting{}, b.failed("read the object lock of", "", err)
	}
	found := output.ObjectLockConfiguration
	if found == nil || !strings.EqualFold(string(found.ObjectLockEnabled), "Enabled") {
		return LockSetting{}, nil
	}
	setting := LockSetting{Enabled: true}
	if found.Rule != nil && found.Rule.DefaultRetention != nil {
		setting.DefaultMode = strings.ToLower(string(found.Rule.DefaultRetention.Mode))
	}
	return setting, nil
}

// DefaultEncryption is the algorithm of objects that ask for none, such as AES256
// or aws:kms; "" without one.
func (b *Bucket) DefaultEncryption(ctx context.Context) (string, error) {
	output, err := b.client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &b.config.Bucket})
	if answersWith(err, "ServerSideEncryptionConfigurationNotFoundError") {
		return "", nil
	}
	if err != nil {
		return "", b.failed("read the encryption of", "", err)
	}
	if output.ServerSideEncryptionConfiguration == nil {
		return "", nil
	}
	for _, rule := range output.ServerSideEncryptionConfiguration.Rules {
		if rule.ApplyServerSideEncryptionByDefault != nil {
			return string(rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm), nil
		}
	}
	return "", nil
}

func answersWith(err error, code string) bool {
	answer, ok := errors.AsType[smithy.APIError](err)
	return ok && answer.ErrorCode() == code
}
