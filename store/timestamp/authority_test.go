package timestamp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vlens-archiver/store/timestamp"
)

const authorityConfig = `
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[req]
distinguished_name = dn
x509_extensions = ext
prompt = no
[dn]
CN = Test authority
[ext]
extendedKeyUsage = critical, timeStamping
`

// openssl runs the command line tool in a folder.
func openssl(t *testing.T, dir string, args ...string) error {
	t.Helper()
	command := exec.Command("openssl", args...)
	command.Dir = dir
	output, err := command.CombinedOutput()
	if err != nil {
		t.Logf("openssl %s: %s", strings.Join(args, " "), output)
	}
	return err
}

// newAuthority is a time-stamping authority made of openssl, and the folder with
// its certificate.
func newAuthority(t *testing.T) (server *httptest.Server, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"openssl.cnf": authorityConfig, "serial": "01\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := openssl(t, dir, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.pem",
		"-days", "30", "-config", "openssl.cnf"); err != nil {
		t.Fatal(err)
	}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, _ := io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") != "application/timestamp-query" {
			http.Error(w, "no query", http.StatusUnsupportedMediaType)
			return
		}
		_ = os.WriteFile(filepath.Join(dir, "query.tsq"), query, 0o600)
		if err := openssl(t, dir, "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query.tsq",
			"-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "reply.tsr"); err != nil {
			http.Error(w, "no reply", http.StatusInternalServerError)
			return
		}
		reply, _ := os.ReadFile(filepath.Join(dir, "reply.tsr"))
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(reply)
	}))
	t.Cleanup(server.Close)
	return server, dir
}

// What an authority of openssl answers is verified by openssl, over this message
// and no other.
func TestTokenIsVerifiedByOpenSSL(t *testing.T) {
	t.Parallel()
	server, dir := newAuthority(t)
	authority := timestamp.New(server.URL)
	defer authority.CloseIdleConnections()
	message := []byte("acme.example/vlens-archive\n2\nroot\n")
	token, err := authority.Timestamp(t.Context(), message)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"checkpoint": message, "other": []byte("other"), "checkpoint.tsr": token} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(data string) error {
		return openssl(t, dir, "ts", "-verify", "-data", data, "-in", "checkpoint.tsr", "-CAfile", "tsa.pem")
	}
	if err := verify("checkpoint"); err != nil {
		t.Error("openssl does not verify the token")
	}
	if verify("other") == nil {
		t.Error("openssl verifies the token over another message")
	}

	// The same answer to another message, or to another request, is refused.
	replay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(token) }))
	defer replay.Close()
	replayed := timestamp.New(replay.URL)
	defer replayed.CloseIdleConnections()
	for says, message := range map[string][]byte{"something else": []byte("other"), "another request": message} {
		if _, err := replayed.Timestamp(t.Context(), message); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a replayed token: %v, want %q", err, says)
		}
	}
}

func TestFailingAuthority(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"status 500":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"no token":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"more than 1048": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) },
	} {
		server := httptest.NewServer(handler)
		authority := timestamp.New(server.URL + "/?token=planted")
		if _, err := authority.Timestamp(t.Context(), []byte("m")); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
		if _, err := authority.Timestamp(t.Context(), []byte("m")); err == nil || strings.Contains(err.Error(), "planted") {
			t.Errorf("an authority that is gone: %v", err)
		}
		authority.CloseIdleConnections()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := timestamp.New("http://127.0.0.1:9").Timestamp(ctx, nil); err == nil {
		t.Error("it asks after the context has ended")
	}
}
