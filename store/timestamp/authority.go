// Package timestamp asks an RFC 3161 time-stamping authority for tokens.
package timestamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"github.com/digitorus/timestamp"
)

const (
	// requestTimeout bounds one request: a run waits for it at its end.
	requestTimeout = 30 * time.Second
	// largestReply bounds an answer; a token with its certificates has some 10 KiB.
	largestReply = 1 << 20
)

// Authority is a time-stamping authority. Its methods may be called from any
// goroutine.
type Authority struct {
	url    string
	client *http.Client
}

// New returns the authority at an http or https URL.
func New(url string) *Authority {
	return &Authority{url: url, client: &http.Client{Timeout: requestTimeout}}
}

// Timestamp asks for a token over the SHA-256 of the message and returns the
// exact bytes of the answer, a DER TimeStampResp (RFC 3161, section 2.4.2) with
// the certificates of the authority. It has checked that the answer is a granted
// token, signed by the certificate in it, over this message and for this request,
// and not whether that certificate is to be trusted.
func (a *Authority) Timestamp(ctx context.Context, message []byte) ([]byte, error) {
	reply, err := a.ask(ctx, message)
	if err != nil {
		return nil, fmt.Errorf("ask the time-stamping authority: %w", err)
	}
	return reply, nil
}

func (a *Authority) ask(ctx context.Context, message []byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	query, err := timestamp.CreateRequest(bytes.NewReader(message), &timestamp.RequestOptions{
		Hash: crypto.SHA256, Certificates: true, Nonce: nonce,
	})
	if err != nil {
		return nil, err
	}
	reply, err := a.post(ctx, query)
	if err != nil {
		return nil, err
	}
	token, err := timestamp.ParseResponse(reply)
	if err != nil {
		return nil, fmt.Errorf("its answer is no token: %w", err)
	}
	digest := sha256.Sum256(message)
	switch {
	case len(token.Certificates) == 0: // then nothing says that it is signed
		return nil, errors.New("its token has no certificate")
	case token.HashAlgorithm != crypto.SHA256 || !bytes.Equal(token.HashedMessage, digest[:]):
		return nil, errors.New("its token is over something else")
	case token.Nonce == nil || token.Nonce.Cmp(nonce) != 0:
		return nil, errors.New("its token answers another request")
	}
	return reply, nil
}

// post sends a query over HTTP (RFC 3161, section 3.4).
func (a *Authority) post(ctx context.Context, query []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/timestamp-query")
	response, err := a.client.Do(request)
	if err != nil {
		if refused, ok := errors.AsType[*url.Error](err); ok {
			err = refused.Err // without the URL, which may hold a token
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	reply, err := io.ReadAll(io.LimitReader(response.Body, largestReply+1))
	if err != nil {
		return nil, err
	}
	if len(reply) > largestReply {
		return nil, fmt.Errorf("its answer has more than %d bytes", largestReply)
	}
	return reply, nil
}

// CloseIdleConnections closes the connections that are not in use.
func (a *Authority) CloseIdleConnections() { a.client.CloseIdleConnections() }
