package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"vlens-archiver/store"
)

const (
	defaultConnections = 32
	defaultAttempts    = 4
	defaultStall       = time.Minute
	maxBackoff         = 5 * time.Second
)

// Bucket is one bucket. It is safe for concurrent use.
type Bucket struct {
	config Config
	client *s3.Client
}

// Open prepares access to the bucket. It sends no request; an error means that
// the configuration or the AWS environment cannot be used.
func Open(ctx context.Context, cfg Config) (*Bucket, error) {
	cfg.MaxConnections = cmp.Or(cfg.MaxConnections, defaultConnections)
	cfg.Attempts = cmp.Or(cfg.Attempts, defaultAttempts)
	cfg.Stall = cmp.Or(cfg.Stall, defaultStall)
	cfg.CredentialsWait = cmp.Or(cfg.CredentialsWait, defaultCredentialsWait)
	cfg.Encryption.Mode = cmp.Or(cfg.Encryption.Mode, EncryptionNone)
	cfg.ObjectLock.Mode = cmp.Or(cfg.ObjectLock.Mode, LockNone)
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}

	environment, err := config.LoadDefaultConfig(ctx, cfg.loadOptions()...)
	if err != nil {
		return nil, fmt.Errorf("open bucket: read the AWS environment: %w", err)
	}
	if environment.Region == "" {
		return nil, errors.New("open bucket: no region: set archive.region or AWS_REGION")
	}
	cfg.Region = environment.Region
	environment.Credentials = &judgedCredentials{source: environment.Credentials, wait: cfg.CredentialsWait}

	client := s3.NewFromConfig(environment, func(o *s3.Options) {
		// Only the SDK's own client type takes the certificates of AWS_CA_BUNDLE.
		if source, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = source.WithTimeout(0).WithTransportOptions(cfg.tune)
		}
		o.Retryer = cfg.retryer()
		o.UsePathStyle = cfg.ForcePathStyle
		if cfg.Endpoint != "" {
			o.BaseEndpoint = &cfg.Endpoint
		}
	})
	return &Bucket{config: cfg, client: client}, nil
}

// Location is where the objects are, in the words of a record.
func (b *Bucket) Location() store.Location {
	return store.Location{
		Endpoint:   b.config.Endpoint,
		Region:     b.config.Region,
		Bucket:     b.config.Bucket,
		Encryption: b.config.Encryption.Mode,
		LockMode:   b.config.ObjectLock.Mode,
		LockDays:   b.config.ObjectLock.Days,
	}
}

func (c Config) check() error {
	switch {
	case c.Bucket == "":
		return errors.New("no bucket: set archive.bucket")
	case !slices.Contains([]string{EncryptionNone, EncryptionS3, EncryptionKMS}, c.Encryption.Mode):
		return fmt.Errorf("encryption mode %q: use none, sse-s3 or sse-kms", c.Encryption.Mode)
	case !slices.Contains([]string{LockNone, LockGovernance, LockCompliance}, c.ObjectLock.Mode):
		return fmt.Errorf("object lock mode %q: use none, governance or compliance", c.ObjectLock.Mode)
	case c.ObjectLock.Mode == LockNone && c.ObjectLock.Days != 0:
		return fmt.Errorf("object lock has %d days but no mode: use governance or compliance", c.ObjectLock.Days)
	case c.ObjectLock.Mode != LockNone && c.ObjectLock.Days < 1:
		return fmt.Errorf("object lock mode %q needs days, 1 or more", c.ObjectLock.Mode)
	}
	return nil
}

func (c Config) loadOptions() []func(*config.LoadOptions) error {
	options := append(c.sourceOptions(),
		// It would write past the program's log, in a form of its own.
		config.WithLogger(logging.Nop{}),
		// The checksum is ours; those that the SDK adds by default are refused by
		// many S3-compatible services.
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
	)
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.AccessKey != "" {
		options = append(options, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey.Reveal(), "")))
	}
	return options
}

func (c Config) tune(transport *http.Transport) {
	transport.MaxConnsPerHost = c.MaxConnections
	transport.MaxIdleConnsPerHost = c.MaxConnections
	transport.MaxIdleConns = c.MaxConnections
	transport.DialContext = stallGuard(transport.DialContext, c.Stall)
}

func (c Config) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = c.Attempts
		o.MaxBackoff = maxBackoff
		// Without a shared allowance of retries: one request's attempts must not
		// depend on how others fare.
		o.RateLimiter = ratelimit.None
	})
}
