package doctor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"vlens-archiver/internal/testservices/s3server"
)

// liar stands before the S3 server and breaks single promises of it. It signs
// what it passes on, as the account writer unless another one is named. Nil
// functions change nothing.
type liar struct {
	accessKey, secretKey string
	// request changes what is passed on.
	request func(*http.Request)
	// instead answers in place of the server when it returns true.
	instead func(http.ResponseWriter, *http.Request) bool
	// response changes the answer.
	response func(*http.Response)
}

// root is the account that owns every bucket and may do everything.
func root(l liar) liar {
	l.accessKey, l.secretKey = "test-access-key", "test-secret-key"
	return l
}

// start returns the endpoint.
func (l liar) start(s *site) string {
	s.t.Helper()
	if l.accessKey == "" {
		l.accessKey, l.secretKey = writerKey, writerSecret
	}
	target, err := url.Parse(s3(s.t).Endpoint())
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = target.Host
			if l.request != nil {
				l.request(r.Out)
			}
			l.sign(r.Out)
		},
		ModifyResponse: func(r *http.Response) error {
			if l.response != nil {
				l.response(r)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.instead == nil || !l.instead(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	s.t.Cleanup(server.Close)
	return server.URL
}

// sign replaces the signature by one over what the request is now.
func (l liar) sign(r *http.Request) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body) // the server will refuse what is cut
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded") || name == "Authorization" || name == "X-Amz-Date" {
			r.Header.Del(name)
		}
	}
	r.Header.Set("X-Amz-Content-Sha256", digest)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	account := aws.Credentials{AccessKeyID: l.accessKey, SecretAccessKey: l.secretKey}
	if err := signer.SignHTTP(r.Context(), account, r, digest, "s3", s3server.Region, time.Now()); err != nil {
		panic(err)
	}
}

// isCanary reports whether a request is about the canary of this name.
func isCanary(r *http.Request, name string) bool {
	return strings.Contains(r.URL.Path, "/doctor/") && strings.HasSuffix(r.URL.Path, "/"+name)
}

// behind puts the site's bucket behind a liar.
func (s *site) behind(l liar) *site {
	s.t.Helper()
	s.cfg.Archive.Endpoint = l.start(s)
	return s
}
