package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// floor is where bodies come from and where images go.
type floor struct {
	base, token, apiKey, tenancy string
	endpoint, bucket, region     string

	client *http.Client
	signer *v4.Signer
	keys   aws.Credentials
}

func (f *floor) connect(inFlight int) {
	f.client = &http.Client{Transport: &http.Transport{
		MaxIdleConns:        2 * inFlight,
		MaxIdleConnsPerHost: inFlight,
		MaxConnsPerHost:     inFlight,
		ReadBufferSize:      64 << 10,
		WriteBufferSize:     64 << 10,
		DisableCompression:  true,
	}}
	f.signer = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	f.keys = aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}
}

// worker does one step at a time, in memory of its own.
type worker struct {
	*floor
	body  []byte // of the last answer
	image []byte
}

func (w *worker) do(ctx context.Context, s step) (err error) {
	if w.body, err = w.get(ctx, s.path, w.body); err != nil || s.key == "" {
		return err
	}
	return w.put(ctx, s.key)
}

// get receives a body into the buffer, or into a larger one.
func (f *floor) get(ctx context.Context, path string, buffer []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header["ApiKey"] = []string{f.apiKey}
	req.Header["TenancyName"] = []string{f.tenancy}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		return nil, fmt.Errorf("get: status %s, %d bytes", resp.Status, resp.ContentLength)
	}
	buffer = slices.Grow(buffer[:0], int(resp.ContentLength))[:resp.ContentLength]
	if _, err := io.ReadFull(resp.Body, buffer); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	return buffer, nil
}

func (w *worker) put(ctx context.Context, key string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, w.endpoint+"/"+w.bucket+"/"+key, bytes.NewReader(w.image))
	if err != nil {
		return fmt.Errorf("put: %w", err)
	}
	sum := sha256.Sum256(w.image)
	digest := hex.EncodeToString(sum[:])
	req.Header.Set("Content-Type", "image/jpeg")
	req.Header.Set("X-Amz-Content-Sha256", digest)
	if err := w.signer.SignHTTP(ctx, w.keys, req, digest, "s3", w.region, time.Now()); err != nil {
		return fmt.Errorf("put: sign: %w", err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return fmt.Errorf("put: %w", err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("put: status %s", resp.Status)
	}
	return nil
}
