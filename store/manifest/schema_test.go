package manifest_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("../../docs/record.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("record.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("record.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func validate(t *testing.T, body []byte) error {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return schema(t).Validate(instance)
}

func wholeRecord() manifest.Record {
	r := record()
	r.Source = manifest.Source{BaseURL: "https://api.vlenseg.com", Identifier: "phone"}
	ref := store.Ref(strings.Repeat("a", 32))
	r.Images[1].Ref = &ref
	r.Storage = manifest.NewStorage(store.Location{Bucket: "b", Encryption: "sse-s3", LockMode: "governance", LockDays: 5}, r.ArchivedAt)
	return r
}

func TestRecordsFollowTheirSchema(t *testing.T) {
	t.Parallel()
	locked := wholeRecord()
	unnamed := wholeRecord()
	unnamed.TransactionID = manifest.TransactionID("t-0123456789abcdef")
	unnamed.Storage = manifest.NewStorage(store.Location{Bucket: "b", Encryption: "none", LockMode: "none"}, unnamed.ArchivedAt)
	for _, r := range []manifest.Record{locked, unnamed} {
		body, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, body); err != nil {
			t.Errorf("%v\n%s", err, body)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	good, err := wholeRecord().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a stored image without a hash": {`"sha256": "` + hash + `"`, `"sha256": null`},
		"an image missing":              {`"kind": "face_3"`, `"kind": "face_2"`},
		"an unknown class":              {`"class": "gone"`, `"class": "went away"`},
		"a file name as a ref":          {`"ref": "79e1c3d0db333b892246d6bb07560320"`, `"ref": "front.jpg"`},
		"an extra field":                {`"sequence": 1`, `"sequence": 1, "email": "x"`},
		"a local time":                  {`"archived_at": "2`, `"archived_at": "local 2`},
		"an identifier":                 {`"identifier": "phone"`, `"identifier": "+201001234567"`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		if bad == string(good) {
			t.Errorf("%s: nothing was changed", name)
		} else if validate(t, []byte(bad)) == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// The classes of the schema are those of the table that an image can have.
func TestSchemaKnowsEveryClassOfAnImage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/record.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	ofUsers := map[store.Class]bool{store.ClassNoIdentifier: true, store.ClassNoTransaction: true, store.ClassSharedTransaction: true}
	for _, info := range store.Classes {
		if got := strings.Contains(string(text), `"`+string(info.Class)+`"`); got == ofUsers[info.Class] {
			t.Errorf("class %s in the schema: %v", info.Class, got)
		}
	}
}
