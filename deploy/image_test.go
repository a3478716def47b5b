package deploy_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/vlens/vlenstest"
)

// image is a folder with what the Dockerfile puts into the image, and nothing
// else: no shell, no /etc/passwd, no time zones, no home.
type image struct {
	t    *testing.T
	root string
	env  []string
}

const (
	imageProgram = "/usr/bin/vlens-archiver"
	imageBundle  = "/etc/ssl/certs/ca-certificates.crt"
	// Mounted, as a pod would have them.
	imageConfig = "/etc/vlens-archiver/config.yaml"
	imageS3CA   = "/etc/ca/s3.pem"
)

func newImage(t *testing.T, program string, bundle, s3CA []byte) *image {
	t.Helper()
	i := &image{t: t, root: t.TempDir()}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	i.put(imageProgram, content, 0o755)
	i.put(imageBundle, bundle, 0o644)
	i.put(imageS3CA, s3CA, 0o644)
	i.put(imageConfig, []byte(imageConfiguration), 0o644)
	tmp := filepath.Join(i.root, "tmp")
	if err := os.Mkdir(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir, mode := range map[string]os.FileMode{tmp: 0o777 | os.ModeSticky, i.root: 0o555} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

func (i *image) put(path string, content []byte, mode os.FileMode) {
	i.t.Helper()
	file := filepath.Join(i.root, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		i.t.Fatal(err)
	}
	if err := os.WriteFile(file, content, mode); err != nil {
		i.t.Fatal(err)
	}
}

// run runs the program as the image's user in the image's root, which it cannot
// write to. Who is not root cannot change either, and runs it as is, in a folder
// that nobody can write to and without a home.
func (i *image) run(env []string, args ...string) (code int, output string) {
	i.t.Helper()
	var cmd *exec.Cmd
	if os.Geteuid() == 0 {
		cmd = exec.CommandContext(i.t.Context(), imageProgram, append([]string{"--config", imageConfig}, args...)...)
		cmd.Err = nil // the program is looked for outside the root that it is in
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		cmd.Dir = "/"
	} else {
		cmd = exec.CommandContext(i.t.Context(), i.root+imageProgram, append([]string{"--config", i.root + imageConfig}, args...)...)
		cmd.Dir = i.root
		env = append([]string{"SSL_CERT_FILE=" + i.root + imageBundle}, env...)
		for n, value := range env {
			env[n] = strings.Replace(value, "="+imageS3CA, "="+i.root+imageS3CA, 1)
		}
	}
	cmd.Env = append(env, i.env...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	_ = cmd.Run() // the exit code says it
	if cmd.ProcessState == nil {
		i.t.Fatalf("%s did not start", cmd)
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

// files are all files and folders of the root.
func (i *image) files() string {
	i.t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(i.root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			list.WriteString(fs.FormatDirEntry(entry) + " ")
		}
		return err
	})
	if err != nil {
		i.t.Fatal(err)
	}
	return list.String()
}

const imageConfiguration = `
source:
  database_url: ${SOURCE_DATABASE_URL}
  users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users
ledger: {database_url: "${LEDGER_DATABASE_URL}"}
vlens:
  base_url: ${VLENS_BASE_URL}
  api_key: ` + vlenstest.DefaultAPIKey + `
  tenancy_name: ` + vlenstest.DefaultTenancy + `
  username: ` + vlenstest.DefaultUsername + `
  password: ` + vlenstest.DefaultPassword + `
  quota: {per_second: 0, per_minute: 0}
archive:
  bucket: ` + archivetest.BucketName + `
  prefix: ` + archivetest.Prefix + `
  region: ` + s3server.Region + `
  endpoint: ${S3_ENDPOINT}
  force_path_style: true
  encryption: {mode: none}
  subject_key: ` + archivetest.SubjectKey + `
evidence: {origin: acme.example/vlens-archive}
worker: {attempts: 1}
notify: {heartbeat_url: "${HEARTBEAT_URL}"}
`

// The image's rules, on a real run: a static program as uid 65532, a root that
// it cannot write to, no home; Vlens and the monitor trusted by the bundle of the
// image, the bucket by the company's own authority in AWS_CA_BUNDLE.
func testImageRuns(t *testing.T, program string) {
	tn := archivetest.NewTenantAlone(t, vlenstest.Options{People: 4, ImageBytes: 8 << 10})
	vendorCA, s3CA := newAuthority(t, "public"), newAuthority(t, "company")
	monitor := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(monitor.Close)
	i := newImage(t, program, vendorCA.pem, s3CA.pem)
	i.env = []string{
		"SOURCE_DATABASE_URL=" + overTCP(tn, "source"), "LEDGER_DATABASE_URL=" + overTCP(tn, "ledger"),
		"HEARTBEAT_URL=" + vendorCA.front(t, monitor.URL),
		"VLENS_BASE_URL=" + vendorCA.front(t, tn.VendorURL), "S3_ENDPOINT=" + s3CA.front(t, tn.S3URL),
		"AWS_ACCESS_KEY_ID=" + tn.S3.AccessKey(), "AWS_SECRET_ACCESS_KEY=" + tn.S3.SecretKey(), "AWS_EC2_METADATA_DISABLED=true",
	}
	before := i.files()

	if code, output := i.run(nil, "run"); code != 1 || !strings.Contains(output, "certificate") {
		t.Fatalf("without the company's authority: exit code %d: %s", code, output)
	}
	if code, output := i.run([]string{"AWS_CA_BUNDLE=" + imageS3CA}, "run"); code != 0 || strings.Contains(output, "certificate") {
		t.Fatalf("exit code %d: %s", code, output)
	}
	tn.CheckWhole(4)
	if after := i.files(); after != before {
		t.Errorf("the run left files behind: %s, before: %s", after, before)
	}

	// Another public authority: the program trusts what the bundle says.
	i.put(imageBundle, newAuthority(t, "another").pem, 0o644)
	code, output := i.run([]string{"AWS_CA_BUNDLE=" + imageS3CA}, "run")
	if code != 0 || !strings.Contains(output, "notification not delivered") || !strings.Contains(output, "certificate is not trusted") {
		t.Errorf("with a bundle that does not know the monitor: exit code %d: %s", code, output)
	}
}

func overTCP(tn *archivetest.Tenant, database string) string {
	return "postgres://postgres@" + tn.Postgres.Addr() + "/" + database + "?sslmode=disable"
}

// authority is a certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// front is a server with a certificate of the authority, before one that speaks
// plain HTTP. It returns its URL.
func (a authority) front(t *testing.T, target string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "front"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	behind, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(behind)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorLog: log.New(io.Discard, "", 0),
	})
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused certificates are expected
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return server.URL
}
