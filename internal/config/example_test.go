package config_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"vlens-archiver/internal/config"
)

const examplePath = "../../config.example.yaml"

var exampleEnv = map[string]string{
	"SOURCE_DATABASE_URL":  "postgres://reader:pw@db.example/app",
	"LEDGER_DATABASE_URL":  "postgres://writer:pw@db.example/app",
	"VLENS_API_KEY":        "planted-api-key",
	"VLENS_USERNAME":       "planted-username",
	"VLENS_PASSWORD":       "planted-password",
	"SUBJECT_KEY":          "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
	"EVIDENCE_SIGNING_KEY": signingKey,
}

// leaves gives every key of the configuration with its value, dotted.
func leaves(path string, v reflect.Value, into map[string]reflect.Value) map[string]reflect.Value {
	if v.Kind() != reflect.Struct {
		into[path] = v
		return into
	}
	for i := range v.NumField() {
		leaves(strings.TrimPrefix(path+"."+v.Type().Field(i).Tag.Get("yaml"), "."), v.Field(i), into)
	}
	return into
}

func TestExampleHasDefaults(t *testing.T) {
	t.Parallel()
	example, err := config.Load(examplePath, envOf(exampleEnv))
	if err != nil {
		t.Fatal(err)
	}
	defaults := leaves("", reflect.ValueOf(*parse(t, minimal, noEnv)), map[string]reflect.Value{})
	own := []string{"archive.bucket", "evidence.origin", "evidence.signing_key"}
	for key, value := range leaves("", reflect.ValueOf(*example), map[string]reflect.Value{}) {
		if equal := reflect.DeepEqual(value.Interface(), defaults[key].Interface()); equal == slices.Contains(own, key) {
			t.Errorf("%s: example %v, default %v", key, value, defaults[key])
		}
	}
}

func TestExampleHasEveryKeyWithComment(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	for key := range leaves("", reflect.ValueOf(config.Config{}), map[string]reflect.Value{}) {
		var at any = tree
		for name := range strings.SplitSeq(key, ".") {
			section, _ := at.(map[string]any)
			value, found := section[name]
			if !found {
				t.Errorf("%s is not in the example", key)
			}
			at = value
		}
	}
	previous := ""
	for i, line := range strings.Split(string(data), "\n") {
		if regexp.MustCompile(`^ *[a-z_]+:`).MatchString(line) && !strings.HasPrefix(strings.TrimSpace(previous), "#") {
			t.Errorf("line %d: %q has no comment above it", i+1, strings.TrimSpace(line))
		}
		previous = line
	}
	for name := range exampleEnv {
		if !strings.Contains(string(data), fmt.Sprintf("${%s}", name)) {
			t.Errorf("the example does not use %s", name)
		}
	}
}
