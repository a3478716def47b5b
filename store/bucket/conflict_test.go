package bucket_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"vlens-archiver/store"
)

func TestPutAgainstWhatIsThere(t *testing.T) {
	t.Parallel()
	other := []byte("other bytes, other len")
	checksum := []string{"X-Amz-Checksum-Sha256", payloadB64}
	precondition, conflict := status(412, "PreconditionFailed"), status(409, "ConditionalRequestConflict")
	type steps = []func(http.ResponseWriter)
	tests := []struct {
		name    string
		ifMatch string
		steps   steps
		methods string
		created bool
		err     error
	}{
		{name: "same bytes by checksum", steps: steps{precondition, standing(payload, checksum...)}, methods: "PUT HEAD "},
		{name: "same bytes by metadata", steps: steps{precondition, standing(payload, "X-Amz-Meta-Sha256", payloadHex)}, methods: "PUT HEAD "},
		{name: "same bytes by download", steps: steps{precondition, standing(payload), standing(payload)}, methods: "PUT HEAD GET "},
		{name: "same bytes, written at the same time", steps: steps{conflict, standing(payload, checksum...)}, methods: "PUT HEAD "},
		{name: "other bytes by checksum", steps: steps{precondition, standing(other, "X-Amz-Checksum-Sha256", "b3RoZXI=")}, methods: "PUT HEAD ", err: store.ErrExists},
		{name: "other bytes by download", steps: steps{precondition, standing(other), standing(other)}, methods: "PUT HEAD GET ", err: store.ErrExists},
		{name: "other size", steps: steps{precondition, standing(other[:3])}, methods: "PUT HEAD ", err: store.ErrExists},
		{name: "other bytes, written at the same time", steps: steps{conflict, standing(other[:3])}, methods: "PUT HEAD ", err: store.ErrExists},
		{name: "undecided, then ours", steps: steps{conflict, status(404, ""), stored}, methods: "PUT HEAD PUT ", created: true},
		{name: "gone again, then ours", steps: steps{precondition, status(404, ""), stored}, methods: "PUT HEAD PUT ", created: true},
		{
			name: "undecided for ever", steps: steps{conflict, status(404, ""), conflict, status(404, ""), conflict, status(404, "")},
			methods: "PUT HEAD PUT HEAD PUT HEAD ", err: store.ErrUnavailable,
		},
		{
			name: "a delete marker in the way for ever", steps: steps{precondition, status(404, ""), precondition, status(404, ""), precondition, status(404, "")},
			methods: "PUT HEAD PUT HEAD PUT HEAD ", err: store.ErrExists,
		},
		{name: "reading is refused", steps: steps{precondition, status(403, "")}, methods: "PUT HEAD ", err: store.ErrDenied},
		{name: "stored, but the answer was lost", steps: steps{hangUp, precondition, standing(payload, checksum...)}, methods: "PUT PUT HEAD "},

		{name: "replaced", ifMatch: "etag0", steps: steps{stored}, methods: "PUT ", created: true},
		{name: "replaced before", ifMatch: "etag0", steps: steps{precondition, standing(payload, checksum...)}, methods: "PUT HEAD "},
		{name: "replaced by another", ifMatch: "etag0", steps: steps{precondition, standing(other[:3])}, methods: "PUT HEAD ", err: store.ErrExists},
		{name: "replacement is undecided", ifMatch: "etag1", steps: steps{conflict, standing(other[:3]), stored}, methods: "PUT HEAD PUT ", created: true},
		{name: "nothing to replace", ifMatch: "etag0", steps: steps{status(404, "NoSuchKey")}, methods: "PUT ", err: store.ErrNotFound},
		{name: "nothing to replace, said as 412", ifMatch: "etag0", steps: steps{precondition, status(404, "")}, methods: "PUT HEAD ", err: store.ErrNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, httptest.NewServer, script(test.steps...))
			request := putRequest()
			request.IfMatch = test.ifMatch
			object, created, err := open(t, w.config()).Put(t.Context(), request)
			if created != test.created || !errors.Is(err, test.err) || (test.err == nil && err != nil) {
				t.Fatalf("created %t, %v", created, err)
			}
			if w.methods() != test.methods {
				t.Errorf("requests %q, want %q", w.methods(), test.methods)
			}
			if err == nil && (object.ETag != "etag1" || object.VersionID != "v1" || object.SHA256 != payloadHex) {
				t.Errorf("%+v", object)
			}
			for _, r := range w.requests() {
				if r.method == http.MethodPut && string(r.body) != string(payload) {
					t.Errorf("body %q", r.body)
				}
				if r.method == http.MethodHead && r.header.Get("X-Amz-Checksum-Mode") != "ENABLED" {
					t.Error("the HEAD does not ask for the checksum")
				}
			}
		})
	}
}
