package bucket

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"vlens-archiver/store"
)

// meanings maps the error codes of S3 (docs.aws.amazon.com, "Amazon S3 error
// responses") and, for answers without a code, HTTP statuses to what callers ask
// for. The first row that fits counts.
var meanings = []struct {
	codes    []string
	statuses []int
	sentinel error // nil: a final no, whose reach depends on the operation
	advice   string
}{
	{
		codes: []string{"NoSuchBucket"}, sentinel: store.ErrBucketMissing,
		advice: "create the bucket, or correct archive.bucket, archive.region or archive.endpoint",
	},
	{
		codes: []string{"NoSuchKey", "NoSuchVersion", "NotFound"}, sentinel: store.ErrNotFound,
	},
	{
		codes:    []string{"RequestTimeTooSkewed"},
		sentinel: store.ErrDenied,
		advice:   "set this machine's clock",
	},
	{
		codes:    []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "UnauthorizedAccess"},
		statuses: []int{http.StatusUnauthorized},
		sentinel: store.ErrDenied,
		advice:   "renew or correct the AWS credentials",
	},
	{
		codes:    []string{"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"},
		statuses: []int{http.StatusMovedPermanently, http.StatusTemporaryRedirect},
		sentinel: store.ErrRegion,
		advice:   "set archive.region to the region of the bucket",
	},
	{
		codes:  []string{"KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException", "KMS.InvalidKeyUsageException"},
		advice: "enable the KMS key of the bucket, or correct archive.encryption, then run again",
	},
	{
		// Not waited for like an outage. Room is made by a person, hardly within
		// the bound of an outage; and a full disk still answers reads and takes
		// small objects, so that the service would seem to be there, and each image
		// would be fetched, tried a few times and lost.
		codes:    []string{"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"},
		statuses: []int{http.StatusInsufficientStorage},
		advice:   "make room for the bucket, or raise its quota, then run again",
	},
	{
		codes:    []string{"EntityTooLarge", "KeyTooLongError", "MetadataTooLarge"},
		statuses: []int{http.StatusRequestEntityTooLarge},
		sentinel: store.ErrObjectRefused,
		advice:   "raise the limit on the size of requests, of the service or of a proxy before it",
	},
	{
		codes:    []string{"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody"},
		sentinel: store.ErrUnavailable,
		advice:   "the bytes were changed or cut on the way; look for a proxy that does so",
	},
	{
		codes: []string{"InvalidObjectState"}, sentinel: store.ErrCold,
		advice: "restore it first (aws s3api restore-object, or S3 Batch Operations for many), then run again; keep lifecycle rules that move objects to Glacier away from what is read often",
	},
	{
		codes:    []string{"AccessDenied", "Forbidden", "AccountProblem", "AllAccessDisabled"},
		statuses: []int{http.StatusForbidden},
		sentinel: store.ErrDenied,
		advice:   "allow s3:PutObject, s3:PutObjectRetention, s3:GetObject, s3:GetObjectVersion, s3:ListBucket and s3:ListBucketVersions, and the use of the KMS key; without s3:ListBucket a missing object is refused too",
	},
	{
		// The answer to a HEAD or GET of a delete marker by its version.
		codes:    []string{"MethodNotAllowed"},
		statuses: []int{http.StatusMethodNotAllowed},
		sentinel: store.ErrNotFound,
	},
	{
		codes:    []string{"NotImplemented"},
		statuses: []int{http.StatusNotImplemented},
		advice:   "the service lacks a feature that is asked for; see archive.object_lock and archive.encryption",
	},
	{
		codes:    []string{"SlowDown", "Throttling", "TooManyRequests", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted", "ConditionalRequestConflict", "KMS.ThrottlingException", "KMS.KMSInternalException", "KMS.DependencyTimeoutException", "KMS.KeyUnavailableException"},
		statuses: []int{http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests},
		sentinel: store.ErrUnavailable,
		advice:   "the service is overloaded or failing; try again later",
	},
	{
		// Comes here only when nothing was found under the key.
		codes:    []string{"PreconditionFailed"},
		statuses: []int{http.StatusPreconditionFailed},
		sentinel: store.ErrExists,
		advice:   "the service takes a delete marker for an object: somebody deleted it; remove the marker",
	},
	{
		statuses: []int{http.StatusNotFound}, sentinel: store.ErrNotFound,
	},
	{
		statuses: []int{
			http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		},
		sentinel: store.ErrUnavailable,
		advice:   "the service is failing; try again later",
	},
}

// failure is an operation that did not work. Its text holds no URL and no words
// of credentials.
type failure struct {
	operation, bucket, key string
	kind                   error  // what it wraps for callers; may be nil
	detail                 string // what the service or the network said
	advice                 string
	cause                  error // for errors.Is and errors.As, not shown
}

func (f *failure) Error() string {
	var text strings.Builder
	if f.key == "" {
		fmt.Fprintf(&text, "%s bucket %q: ", f.operation, f.bucket)
	} else {
		fmt.Fprintf(&text, "%s %q in bucket %q: ", f.operation, f.key, f.bucket)
	}
	switch {
	case f.kind == nil:
		text.WriteString(f.detail)
	case f.detail == "":
		text.WriteString(f.kind.Error())
	default:
		fmt.Fprintf(&text, "%s (%s)", f.kind, f.detail)
	}
	if f.advice != "" {
		text.WriteString(": " + f.advice)
	}
	return text.String()
}

func (f *failure) Unwrap() []error {
	return slices.DeleteFunc([]error{f.kind, f.cause}, func(err error) bool { return err == nil })
}

// failed turns an error of the SDK into one of ours.
func (b *Bucket) failed(operation, key string, err error) error {
	f := &failure{operation: operation, bucket: b.config.Bucket, key: key, cause: err}
	credentials, unsigned := errors.AsType[*credentialsError](err)
	switch status := statusOf(err); {
	case errors.Is(err, context.Canceled):
		f.kind = context.Canceled
	case unsigned:
		credentials.explainTo(f)
	case status >= http.StatusMultipleChoices:
		f.explain(status, b.client.Options().Retryer.IsErrorRetryable(err))
	default:
		f.kind, f.detail = store.ErrUnavailable, networkWords(err)
		f.advice = networkAdvice(err)
	}
	return f
}

// statusOf is the HTTP status of the answer; 0 when there was none.
func statusOf(err error) int {
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || answer.ResponseError == nil || answer.Response == nil {
		return 0
	}
	return answer.HTTPStatusCode()
}

// explain finds what an answer means. passing is the SDK's judgement that the
// same request may succeed later.
func (f *failure) explain(status int, passing bool) {
	var code, message string
	if answer, ok := errors.AsType[smithy.APIError](f.cause); ok {
		code, message = answer.ErrorCode(), answer.ErrorMessage()
	}
	f.detail = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, code))
	if answer, ok := errors.AsType[*awshttp.ResponseError](f.cause); ok && answer.ServiceRequestID() != "" {
		f.detail += ", request " + answer.ServiceRequestID()
	}
	byCode := func(i int) bool { return slices.Contains(meanings[i].codes, code) }
	byStatus := func(i int) bool { return slices.Contains(meanings[i].statuses, status) }
	for _, fits := range []func(int) bool{byCode, byStatus} {
		for i, meaning := range meanings {
			absence := errors.Is(meaning.sentinel, store.ErrNotFound)
			if !fits(i) || absence && !asksForObject(f.operation) {
				continue
			}
			f.kind, f.advice = cmp.Or(meaning.sentinel, f.refusal()), meaning.advice
			return
		}
	}
	// An answer that nobody foresaw is explained best by its own words. A 5xx is
	// the service's own failure (RFC 9110, section 15).
	f.kind, f.advice = f.refusal(), oneLine(message)
	if passing || status >= http.StatusInternalServerError {
		f.kind = store.ErrUnavailable
	}
	if errors.Is(f.kind, store.ErrBucketRefuses) {
		f.advice = strings.TrimPrefix(f.advice+"; doctor shows what this bucket takes; mend it, then run again", "; ")
	}
}

// refusal is the kind of a final no: the bucket's to everything, when something
// was to be written or listed, else that of the one object.
func (f *failure) refusal() error {
	if f.key == "" || !asksForObject(f.operation) || f.operation == opReplace {
		return store.ErrBucketRefuses
	}
	return store.ErrObjectRefused
}

// asksForObject reports whether the operation needs an object that is there, so
// that the service may answer that there is none. To the others such an answer is
// a refusal.
func asksForObject(operation string) bool {
	return operation != opPut && operation != opList && operation != opListVersions
}

// Operations that are told apart.
const (
	opPut          = "put"
	opReplace      = "replace"
	opList         = "list"
	opListVersions = "list versions"
)

// networkWords is the innermost reason, without the URL that net/http adds.
func networkWords(err error) string {
	if requested, ok := errors.AsType[*url.Error](err); ok {
		err = requested.Err
	}
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return "timeout"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return oneLine(err.Error())
}

func networkAdvice(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "name the file with the certificate authority of the service in AWS_CA_BUNDLE"
	}
	return "check the network, archive.endpoint and archive.region"
}

func oneLine(text string) string {
	const limit = 300 // bytes
	text = strings.Join(strings.Fields(text), " ")
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}
