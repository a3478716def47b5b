package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"vlens-archiver/store"
)

const (
	// defaultCredentialsWait bounds one retrieval of credentials. Agents and
	// metadata services answer within milliseconds, STS within a second.
	defaultCredentialsWait = 15 * time.Second
	// credentialsAttempts is how often a source is asked in one retrieval; callers
	// try again as for any service that is away.
	credentialsAttempts = 2
)

// sourceOptions are how sources of credentials are asked; the client and the retries
// of S3 itself come later. The SDK goes on with a retrieval that nobody waits for any
// more, and whoever comes next joins it, so each request is bounded too.
func (c Config) sourceOptions() []func(*config.LoadOptions) error {
	client := awshttp.NewBuildableClient().WithTimeout(c.CredentialsWait / credentialsAttempts)
	retryer := func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = credentialsAttempts, ratelimit.None })
	}
	return []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryer(retryer),
		// The agent of the node has a client of its own, without a bound.
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }),
	}
}

// judgedCredentials bounds each retrieval, and says whether a source that gave
// nothing is away or refuses.
type judgedCredentials struct {
	source aws.CredentialsProvider
	wait   time.Duration
	given  atomic.Bool // the source has given credentials before
}

// Retrieve gets credentials, from the SDK's cache while they are good.
func (c *judgedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	waiting, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	found, err := c.source.Retrieve(waiting)
	switch {
	case err == nil:
		c.given.Store(true)
		return found, nil
	case ctx.Err() != nil:
		return found, err
	}
	return found, &credentialsError{cause: err, away: c.sourceAway(err)}
}

// sourceAway reports whether a later try may get credentials. The metadata service
// is asked when nothing else is configured: one that was never reached is none.
func (c *judgedCredentials) sourceAway(err error) bool {
	if status := sourceStatus(err); status != 0 {
		return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout ||
			passing.IsErrorRetryable(err) == aws.TrueTernary
	}
	return brokeOff(err) && (c.given.Load() || !c.isMetadata())
}

// passing are the answers that the SDK would ask again after; STS has one of its own.
var passing = append(retry.IsErrorRetryables{
	retry.RetryableErrorCode{Codes: map[string]struct{}{"IDPCommunicationError": {}}},
}, retry.DefaultRetryables...)

// sourceStatus is the HTTP status with which the source answered; 0 when it did not.
func sourceStatus(err error) int {
	if _, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return statusOf(err)
	}
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		if answer.Response == nil {
			return 0
		}
		return answer.HTTPStatusCode()
	}
	if answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// brokeOff reports whether the source was not reached, or its answer not whole.
func brokeOff(err error) bool {
	_, unsent := errors.AsType[*smithyhttp.RequestSendError](err)
	_, network := errors.AsType[net.Error](err)
	_, garbled := errors.AsType[*smithy.DeserializationError](err)
	return unsent || network || garbled || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (c *judgedCredentials) isMetadata() bool {
	known, ok := c.source.(aws.CredentialProviderSource)
	return ok && slices.Contains(known.ProviderSources(), aws.CredentialSourceIMDS)
}

// credentialsError is that of a source of credentials, which the SDK reports like
// failures of the bucket's network.
type credentialsError struct {
	cause error
	away  bool
}

func (e *credentialsError) Error() string { return fmt.Sprintf("get AWS credentials: %v", e.cause) }

func (e *credentialsError) Unwrap() error { return e.cause }

// RetryableError keeps the SDK from asking again, for each request that waits:
// the source has been asked more than once.
func (e *credentialsError) RetryableError() bool { return false }

// explainTo says what the error means for an operation of the bucket.
func (e *credentialsError) explainTo(f *failure) {
	detail := ""
	if status := sourceStatus(e.cause); status != 0 {
		detail = fmt.Sprintf("HTTP %d", status)
		if answer, ok := errors.AsType[smithy.APIError](e.cause); ok {
			detail = strings.TrimSpace(detail + " " + oneLine(answer.ErrorCode()))
		}
	}
	if e.away {
		if detail == "" {
			detail = networkWords(e.cause)
		}
		f.kind, f.detail = store.ErrUnavailable, "the source of AWS credentials: "+detail
		f.advice = "look at what gives this program its AWS credentials: the pod identity agent of the node, the instance's metadata or STS"
		return
	}
	f.kind, f.detail = store.ErrDenied, "no AWS credentials"
	if detail != "" {
		f.detail += ", their source answers " + detail
	}
	f.advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a workload identity"
}
