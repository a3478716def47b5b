package doctor

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
)

// TestMain also makes sure, after a run of all tests, that each check was seen
// to find a fault, and each remedy to be given.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":         "test-access-key",
		"AWS_SECRET_ACCESS_KEY":     "test-secret-key",
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE":           os.DevNull,
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	testservices.Main(suite{m})
}

type suite struct{ tests *testing.M }

func (s suite) Run() int {
	code := s.tests.Run()
	if shared.server != nil {
		_ = shared.server.Stop()
		_ = os.RemoveAll(shared.dir)
	}
	if code != 0 || flag.Lookup("test.run").Value.String() != "" || flag.Lookup("test.list").Value.String() != "" {
		return code
	}
	for _, c := range checks() {
		for _, remedy := range c.remedies {
			if _, given := given.Load(remedy); !given {
				fmt.Printf("no test has seen %s advise: %s\n", c.name, remedy)
				code = 1
			}
		}
		if _, seen := faulty.Load(c.name); !seen {
			fmt.Printf("no test has seen %s find a fault\n", c.name)
			code = 1
		}
	}
	return code
}

// given are the remedies and faulty the checks that tests have seen at work.
var given, faulty sync.Map

// shared is the one S3 server of the tests, with the account writer beside its
// own.
var shared struct {
	once   sync.Once
	dir    string
	server *s3server.Server
	err    error
}

const (
	writerKey    = "writer-access-key"
	writerSecret = "writer-secret-key"
)

func s3(t *testing.T) *s3server.Server {
	t.Helper()
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "doctor"); shared.err != nil {
			return
		}
		accounts := map[string]any{"accessAccounts": map[string]any{
			writerKey: map[string]any{"access": writerKey, "secret": writerSecret, "role": "user", "userID": 1, "groupID": 1},
		}}
		content, err := json.Marshal(accounts)
		if err != nil {
			shared.err = err
			return
		}
		if shared.err = os.Mkdir(filepath.Join(shared.dir, "accounts"), 0o700); shared.err != nil {
			return
		}
		if shared.err = os.WriteFile(filepath.Join(shared.dir, "accounts", "users.json"), content, 0o600); shared.err != nil {
			return
		}
		shared.server, shared.err = s3server.Start(context.Background(), s3server.Options{Dir: shared.dir})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}
