package listen_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"vlens-archiver/internal/listen"
)

func TestServesUntilItIsClosed(t *testing.T) {
	t.Parallel()
	server, err := listen.Open(t.Context(), "telemetry.metrics_listen", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "here")
	}))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := get(t, server.Address()); err != nil || body != "here" {
		t.Errorf("answer %q, %v", body, err)
	}

	_, err = listen.Open(t.Context(), "telemetry.health_listen", server.Address(), http.NotFoundHandler())
	if !errors.Is(err, listen.ErrAddress) {
		t.Fatalf("a port in use: %v", err)
	}
	for _, want := range []string{"telemetry.health_listen", server.Address(), "another process listens there", "choose another port"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}

	server.Close(t.Context())
	if body, err := get(t, server.Address()); err == nil {
		t.Errorf("a closed server answers %q", body)
	}
	again, err := listen.Open(t.Context(), "telemetry.health_listen", server.Address(), http.NotFoundHandler())
	if err != nil {
		t.Fatalf("the port is not free after Close: %v", err)
	}
	again.Close(t.Context())
}

// A reader that never ends its request must not keep the program.
func TestCloseDoesNotWaitForASlowReader(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	server, err := listen.Open(t.Context(), "telemetry.metrics_listen", "127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	}))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := get(t, server.Address())
		ended <- err
	}()
	<-entered
	server.Close(t.Context())
	if err := <-ended; err == nil {
		t.Error("a request that was cut has an answer")
	}
	close(release)
}

func get(t *testing.T, address string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
