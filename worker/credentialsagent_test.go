package worker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// credentialsAgent gives AWS credentials to the processes of a tenant, as the pod
// identity agent of a node does. They are asked for anew with each request, since
// they expire soon.
type credentialsAgent struct {
	failing atomic.Int64 // answers with HTTP 500 that are still to come
	silent  atomic.Bool
	asked   chan struct{} // receives when it is asked while it is silent
}

func startAgent(t *testing.T, tn *archivetest.Tenant) *credentialsAgent {
	t.Helper()
	agent := &credentialsAgent{asked: make(chan struct{}, 1)}
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case agent.silent.Load():
			select {
			case agent.asked <- struct{}{}:
			default:
			}
			select {
			case <-r.Context().Done():
			case <-over:
			}
		case agent.failing.Add(-1) >= 0:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Expiration":%q}`, tn.S3.AccessKey(), tn.S3.SecretKey(), time.Now().UTC().Add(time.Minute).Format(time.RFC3339))
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL)
	return agent
}

// identified is a process that gets its credentials from the agent.
func identified(tn *archivetest.Tenant, runID string) *archivetest.Process {
	tn.T.Helper()
	p := tn.Process(runID, func(config *worker.Config) { config.OutageBound = 2 * time.Minute })
	b, err := bucket.Open(tn.T.Context(), bucket.Config{
		Bucket: archivetest.BucketName, Region: s3server.Region, Endpoint: tn.S3URL, ForcePathStyle: true, CredentialsWait: time.Second,
	})
	if err != nil {
		tn.T.Fatal(err)
	}
	p.Bucket = b
	return p
}

// A pause of the agent is waited for, as one of the bucket.
func TestAgentOfCredentialsPauses(t *testing.T) {
	const users = 8
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 61, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{Latency: 5 * time.Millisecond}})
	agent := startAgent(t, tn)
	p := identified(tn, "first")
	defer p.Close()
	go func() {
		p.WaitForUsers(2)
		agent.failing.Store(20)
	}()
	report, err := p.Run(t.Context(), t.Context())
	if err != nil || report.Totals.Users[store.StateArchived] != users {
		t.Fatalf("%+v, %v", report.Totals.Users, err)
	}
	if log := tn.Log.String(); !strings.Contains(log, "service_away") || !strings.Contains(log, "the source of AWS credentials: HTTP 500") {
		t.Errorf("the log does not name the pause:\n%s", log)
	}
	tn.CheckWhole(users)
}

// A process that is told to stop does not wait for a silent agent.
func TestStopWhileTheAgentOfCredentialsIsSilent(t *testing.T) {
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 8, Seed: 62, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{Latency: 5 * time.Millisecond}})
	agent := startAgent(t, tn)
	p := identified(tn, "first")
	defer p.Close()
	stop, tell := context.WithCancelCause(t.Context())
	defer tell(nil)
	go func() {
		p.WaitForUsers(2)
		agent.silent.Store(true)
		<-agent.asked
		tell(worker.ErrSignal)
	}()
	began := time.Now()
	report, err := p.Run(t.Context(), stop)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it stopped after %v", took)
	}
	if err != nil || !errors.Is(report.Stopped, worker.ErrSignal) {
		t.Errorf("it ended with %v, %v", report.Stopped, err)
	}
	agent.silent.Store(false)
	tn.Run("second", nil)
	tn.CheckWhole(8)
}
