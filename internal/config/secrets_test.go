package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
)

// secretKeys must be of the type that does not print itself.
var secretKeys = []string{
	"source.database_url", "ledger.database_url", "vlens.api_key", "vlens.username", "vlens.password",
	"archive.subject_key", "evidence.signing_key", "notify.heartbeat_url", "notify.webhook_url",
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	cfg := parse(t, minimal, noEnv)
	all := leaves("", reflect.ValueOf(cfg).Elem(), map[string]reflect.Value{})
	var planted []string
	for i, key := range secretKeys {
		secret := fmt.Sprintf("planted%02d", i)
		planted = append(planted, secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret))
		field, ok := all[key].Addr().Interface().(*store.Sensitive)
		if !ok {
			t.Fatalf("%s is a %s", key, all[key].Type())
		}
		*field = store.Sensitive(secret)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&out, verb+"\n", cfg)
		fmt.Fprintf(&out, verb+"\n", *cfg)
		for _, section := range []any{cfg.Source, cfg.Ledger, cfg.Vlens, cfg.Archive, cfg.Evidence, cfg.Notify} {
			fmt.Fprintf(&out, verb+"\n", section)
		}
		for _, key := range secretKeys {
			fmt.Fprintf(&out, verb+"\n", all[key].Interface())
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "config", cfg, "value", *cfg, "password", cfg.Vlens.Password)
	}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	out.Write(asYAML)
	for _, secret := range planted {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q was printed", secret)
		}
	}
	if !strings.Contains(out.String(), "[redacted]") || !strings.Contains(out.String(), "acme") {
		t.Error("nothing was printed at all")
	}
}

func TestProblemsNeverShowASecretTakenForAKey(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\"Planted!secret\": 1\n", "vlens: {\"Planted!secret\": 1}\n", "vlens:\n  Planted secret: x\n"} {
		_, err := config.Parse("c.yaml", []byte(text), noEnv)
		if err == nil || !strings.Contains(err.Error(), "unknown key") || strings.Contains(err.Error(), "Planted") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A secret may end up under any key, in the environment or in the file.
func TestProblemsNeverShowAValue(t *testing.T) {
	t.Parallel()
	const secret = "planted:%secret\x01é"
	for key := range leaves("", reflect.ValueOf(config.Config{}), map[string]reflect.Value{}) {
		for _, value := range []string{"${PLANTED}", `["${PLANTED}"]`, `"planted:%secret\x01é"`, `["planted:%secret"]`, `{"planted:%secret": 1}`, `&planted:%secret x`, `!planted:%secret x`, `"planted:%secret`} {
			text := value
			for part := key; part != ""; {
				above, name := "", part
				if i := strings.LastIndexByte(part, '.'); i >= 0 {
					above, name = part[:i], part[i+1:]
				}
				text = name + ":\n  " + strings.ReplaceAll(text, "\n", "\n  ")
				part = above
			}
			_, err := config.Parse("c.yaml", []byte(text+"\n"), envOf(map[string]string{"PLANTED": secret}))
			if err == nil {
				t.Fatalf("%s: accepted without the required keys", key)
			}
			if strings.Contains(err.Error(), "secret") && strings.Contains(err.Error(), "planted") {
				t.Errorf("%s: %s: the value is in the message:\n%v", key, value, err)
			}
		}
	}
}
