package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

// What a connection is encrypted with, and whether the server had to prove who
// it is, with a real server that speaks TLS.
func TestLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, err := testservices.StartPostgres(t.Context(), testservices.PostgresOptions{Dir: dir, TCP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	writeCertificate(t, filepath.Join(dir, "data"))
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `ALTER SYSTEM SET ssl = on`)
	_ = conn.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	ca := filepath.Join(dir, "data", "server.crt")
	for _, test := range []struct {
		mode      string
		encrypted bool
		verified  bool
	}{
		{"sslmode=disable", false, false},
		{"sslmode=prefer", true, false},
		{"sslmode=require", true, false},
		{"sslmode=verify-ca&sslrootcert=" + ca, true, true},
		{"sslmode=verify-full&sslrootcert=" + ca, true, true},
	} {
		ledger, err := postgres.OpenLedger(t.Context(), store.Sensitive("postgres://postgres@"+server.Addr()+"/postgres?"+test.mode))
		if err != nil {
			t.Fatal(test.mode, err)
		}
		link, err := ledger.Link(t.Context())
		ledger.Close()
		if err != nil || (link.TLS != "") != test.encrypted || link.Verified != test.verified || !link.Local {
			t.Errorf("%s: %+v, %v", test.mode, link, err)
		}
	}
}

// writeCertificate makes a certificate for 127.0.0.1 that is its own authority.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t) // of the files, too: the server insists on it
	for name, block := range map[string]*pem.Block{
		"server.crt": {Type: "CERTIFICATE", Bytes: certificate},
		"server.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}
