package bucket_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

// credentialsWait is the bound of these tests on one retrieval.
const credentialsWait = time.Second

// source is an HTTP service that gives credentials, in the way it is told to at the
// moment.
type source struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  chan struct{} // receives once for each request, as far as there is room
}

func newSource(t *testing.T) *source {
	t.Helper()
	s := &source{asked: make(chan struct{}, 100)}
	over := make(chan struct{})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.asked <- struct{}{}:
		default:
		}
		answer := s.answer.Load()
		if answer == nil { // silence
			select {
			case <-r.Context().Done():
			case <-over:
			}
			return
		}
		(*answer)(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(over) })
	return s
}

func (s *source) answers(status int, body string) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	s.answer.Store(&answer)
}

// giving are keys that are asked for again with the next request: the SDK takes no
// keys of an agent or a metadata service that expire within minutes.
func giving() string {
	return fmt.Sprintf(`{"AccessKeyId":"key","SecretAccessKey":"secret","Token":"token","Expiration":%q,"Code":"Success"}`,
		time.Now().UTC().Add(time.Second).Format(time.RFC3339Nano))
}

// withoutCredentials takes away what the machine has.
func withoutCredentials(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_EC2_METADATA_DISABLED"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
}

// identified opens a bucket whose credentials come from the environment's chain.
func identified(t *testing.T) *bucket.Bucket {
	t.Helper()
	return identifiedWithin(t, credentialsWait)
}

func identifiedWithin(t *testing.T, wait time.Duration) *bucket.Bucket {
	t.Helper()
	s3 := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s3.Close)
	b, err := bucket.Open(t.Context(), bucket.Config{
		Bucket: "archive", Region: "us-east-1", Endpoint: s3.URL, ForcePathStyle: true, CredentialsWait: wait,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// head asks for an object, and checks the kind of what becomes of it.
func head(t *testing.T, b *bucket.Bucket, what string, want error, says string) {
	t.Helper()
	began := time.Now()
	_, err := b.Head(t.Context(), "key", "")
	if took := time.Since(began); took > 10*credentialsWait {
		t.Errorf("%s: it took %v", what, took)
	}
	if want == nil {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	for _, kind := range kinds {
		if is := errors.Is(err, kind); is != errors.Is(kind, want) {
			t.Errorf("%s: %v is %v: %t", what, err, kind, is)
		}
	}
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v does not say %q", what, err, says)
	}
}

// An agent that pauses is away like any other service; what it refuses is refused.
func TestAgentOfCredentials(t *testing.T) {
	withoutCredentials(t)
	agent := newSource(t)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.URL)
	b := identified(t)
	const away = "the source of AWS credentials"
	head(t, b, "silence", store.ErrUnavailable, away+": timeout")
	for _, status := range []int{500, 502, 503, 504, 429} {
		agent.answers(status, "")
		head(t, b, fmt.Sprint(status), store.ErrUnavailable, away)
		agent.answers(status, `{"code":"Busy","message":"words"}`)
		head(t, b, fmt.Sprint(status, " in words"), store.ErrUnavailable, fmt.Sprintf("%s: HTTP %d Busy", away, status))
	}
	agent.answers(200, "{half of an ans")
	head(t, b, "a garbled answer", store.ErrUnavailable, away)
	for _, status := range []int{400, 401, 403, 404} {
		agent.answers(status, `{"code":"AccessDeniedException","message":"words"}`)
		head(t, b, fmt.Sprint(status), store.ErrDenied, fmt.Sprintf("no AWS credentials, their source answers HTTP %d AccessDenied", status))
	}
	agent.answers(200, giving())
	head(t, b, "it is back", nil, "")
	agent.CloseClientConnections()
	agent.Listener.Close()
	head(t, b, "its port is closed", store.ErrUnavailable, away)
}

// Whoever is stopped does not wait for the agent.
func TestStopWhileTheAgentIsSilent(t *testing.T) {
	withoutCredentials(t)
	agent := newSource(t)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.URL)
	b := identified(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := b.Head(ctx, "key", "")
		ended <- err
	}()
	<-agent.asked
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrDenied) {
		t.Errorf("it ended with %v", err)
	}
}

// The metadata service of an instance is asked when nothing else is configured.
func TestMetadataService(t *testing.T) {
	withoutCredentials(t)
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
	head(t, identified(t), "no instance", store.ErrDenied, "no AWS credentials")

	metadata := newSource(t)
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	b := identified(t)
	metadata.answers(404, "")
	head(t, b, "no role", store.ErrDenied, "no AWS credentials")
	role := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/api/token"):
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			fmt.Fprint(w, "token")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			fmt.Fprint(w, "role")
		default:
			fmt.Fprint(w, giving())
		}
	})
	metadata.answer.Store(&role)
	head(t, b, "a role", nil, "")
	metadata.answer.Store(nil)
	head(t, b, "silence after it", nil, "") // the SDK prolongs what the instance had
	metadata.answers(500, "")
	head(t, identifiedWithin(t, 10*time.Second), "500", store.ErrUnavailable, "the source of AWS credentials: HTTP 500")
}

// A pod with a web identity gets its credentials from STS.
func TestWebIdentity(t *testing.T) {
	withoutCredentials(t)
	sts := newSource(t)
	token := filepath.Join(t.TempDir(), "token")
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/archiver")
	b := identified(t)
	head(t, b, "no token", store.ErrDenied, "no AWS credentials")
	if err := os.WriteFile(token, []byte("planted-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusal := func(code string) string {
		return `<ErrorResponse><Error><Type>Sender</Type><Code>` + code + `</Code><Message>planted-token</Message></Error></ErrorResponse>`
	}
	head(t, b, "silence", store.ErrUnavailable, "the source of AWS credentials: timeout")
	for code, status := range map[string]int{"InternalFailure": 500, "ServiceUnavailable": 503, "Throttling": 400, "IDPCommunicationError": 400} {
		sts.answers(status, refusal(code))
		head(t, b, code, store.ErrUnavailable, "the source of AWS credentials")
	}
	for code, status := range map[string]int{"InvalidIdentityToken": 400, "ExpiredTokenException": 400, "AccessDenied": 403} {
		sts.answers(status, refusal(code))
		head(t, b, code, store.ErrDenied, "no AWS credentials")
		if _, err := b.Head(t.Context(), "key", ""); err == nil || strings.Contains(err.Error(), "planted-token") {
			t.Errorf("%s: %v", code, err)
		}
	}
	sts.answers(200, `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>key</AccessKeyId>`+
		`<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2000-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`)
	head(t, b, "it is back", nil, "")
}
