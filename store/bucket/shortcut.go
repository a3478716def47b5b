package bucket

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsxml "github.com/aws/aws-sdk-go-v2/aws/protocol/xml"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/encoding/httpbinding"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// shortcut uploads past the middleware of the SDK, which takes five times as
// long as the rest of an upload, a tenth of all that the program does for an
// image. Endpoint, credentials, signature, connections and the judgement of
// answers are the SDK's.
//
// It sends a request once. Where the SDK would send it again, the SDK does: it
// knows about retries and wrong clocks.
type shortcut struct {
	place       *url.URL // of the bucket
	region      string   // that requests are signed for
	client      aws.HTTPClient
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	retryer     aws.Retryer
	closed      atomic.Bool // when the clocks differ
}

// newShortcut is nil when the service is not reached in the plain way, as with
// directory buckets and access points of several regions.
func newShortcut(ctx context.Context, options s3.Options, bucket string) *shortcut {
	endpoint, err := options.EndpointResolverV2.ResolveEndpoint(ctx, s3.EndpointParameters{
		Bucket:                         &bucket,
		Region:                         &options.Region,
		Endpoint:                       options.BaseEndpoint,
		ForcePathStyle:                 &options.UsePathStyle,
		UseFIPS:                        aws.Bool(options.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack:                   aws.Bool(options.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		UseArnRegion:                   &options.UseARNRegion,
		DisableMultiRegionAccessPoints: &options.DisableMultiRegionAccessPoints,
		DisableS3ExpressSessionAuth:    options.DisableS3ExpressSessionAuth,
	}.WithDefaults())
	if err != nil {
		return nil // which the first call of the SDK says better
	}
	schemes, _ := auth.GetAuthOptions(&endpoint.Properties)
	if len(schemes) == 0 || schemes[0].SchemeID != "sigv4" {
		return nil
	}
	region, _ := smithyhttp.GetSigV4SigningRegion(&schemes[0].SignerProperties)
	return &shortcut{
		place:       &endpoint.URI,
		region:      region,
		client:      options.HTTPClient,
		credentials: options.Credentials,
		retryer:     options.Retryer,
		// As the SDK does for S3, whose keys are signed as they are sent.
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
	}
}

// open reports whether the shortcut can be taken.
func (s *shortcut) open() bool { return s != nil && !s.closed.Load() }

// put sends the request once. An answer other than success is an
// awshttp.ResponseError, as from the SDK.
func (s *shortcut) put(ctx context.Context, input *s3.PutObjectInput, digest string) (http.Header, error) {
	keys, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("get credentials: %w", err)
	}
	body := &lentBody{reader: input.Body}
	// The transport may still be sending when the answer is there.
	defer func() { _ = body.Close() }()
	request := (&http.Request{
		Method:        http.MethodPut,
		URL:           s.objectURL(*input.Key),
		Header:        headersOf(input),
		Body:          body,
		ContentLength: *input.ContentLength,
	}).WithContext(ctx)
	if request.ContentLength == 0 {
		request.Body = http.NoBody // else net/http takes the length for unknown
	}
	request.Header["X-Amz-Content-Sha256"] = []string{digest}
	if err := s.signer.SignHTTP(ctx, keys, request, digest, "s3", s.region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}

	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	// Read to the end, so that the connection can be used again.
	words, err := io.ReadAll(io.LimitReader(response.Body, maxWords))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case response.StatusCode/100 != 2:
		if clockDiffers(response.Header) {
			s.closed.Store(true)
		}
		return nil, refusal(response, words)
	}
	return response.Header, nil
}

// maxWords bounds the body of an answer to an upload, in bytes.
const maxWords = 64 << 10

// refusal is the error that the SDK makes of an answer.
func refusal(response *http.Response, words []byte) error {
	said, _ := awsxml.GetErrorResponseComponents(bytes.NewReader(words), true) // none from a proxy
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: response},
			Err: &smithy.GenericAPIError{
				Code:    cmp.Or(said.Code, strings.ReplaceAll(http.StatusText(response.StatusCode), " ", "")),
				Message: said.Message,
			},
		},
		RequestID: cmp.Or(response.Header.Get("X-Amz-Request-Id"), said.RequestID),
	}
}

// settles reports whether the answer is one after which the SDK would not ask
// again.
func (s *shortcut) settles(err error) bool {
	_, answered := errors.AsType[*awshttp.ResponseError](err)
	return answered && s.open() && !s.retryer.IsErrorRetryable(err)
}

// clockDiffers reports whether the service's clock is so far from this machine's
// that the SDK signs again by that one.
func clockDiffers(answer http.Header) bool {
	there, err := http.ParseTime(answer.Get("Date"))
	return err == nil && time.Since(there).Abs() > 4*time.Minute
}

func (s *shortcut) objectURL(key string) *url.URL {
	u := *s.place
	u.RawPath = httpbinding.EscapePath(u.Path+"/"+key, false)
	u.Path += "/" + key
	return &u
}

// lentBody is a body that its owner takes back with Close.
type lentBody struct {
	mu     sync.Mutex
	reader io.Reader // nil once it was taken back
}

func (b *lentBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reader == nil {
		return 0, errors.New("the body was taken back")
	}
	return b.reader.Read(p)
}

func (b *lentBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reader = nil
	return nil
}
