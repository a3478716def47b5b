package store_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vlens-archiver/store"
)

// The expected values were computed with Python's hmac, hashlib and base64.
func TestPseudonymsAgreeWithAnotherImplementation(t *testing.T) {
	t.Parallel()
	key, err := store.ParseSubjectKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	subject := key.Subject("user-1")
	for _, c := range []struct{ what, got, want string }{
		{"subject", string(subject), "yso4af4xrirodasel3bj7ven7a"},
		{"ref", string(key.Ref("front.jpg")), "79e1c3d0db333b892246d6bb07560320"},
		{"unnamed transaction", key.UnnamedTransaction(subject, "front.jpg"), "t-2ab79d67b340c98c"},
		{"check", key.Check(), "bdacb134fa0ca1acae959a29e558cfcf14348fca11cbd5b13b48fc13c0ed0e00"},
	} {
		if c.got != c.want {
			t.Errorf("%s = %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestParseSubjectKeyTakesEveryBase64(t *testing.T) {
	t.Parallel()
	raw := []byte(strings.Repeat("\xfb\xff\x01", 11)) // yields both special characters
	want, err := store.ParseSubjectKey(store.Sensitive(base64.StdEncoding.EncodeToString(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for name, encoding := range map[string]*base64.Encoding{
		"unpadded": base64.RawStdEncoding, "URL": base64.URLEncoding, "unpadded URL": base64.RawURLEncoding,
	} {
		got, err := store.ParseSubjectKey(store.Sensitive(encoding.EncodeToString(raw)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got.Check() != want.Check() {
			t.Errorf("%s: another key", name)
		}
	}
}

func TestParseSubjectKeyRefusesWithoutShowing(t *testing.T) {
	t.Parallel()
	short := base64.StdEncoding.EncodeToString([]byte("thirty-one bytes are too few..."))
	_, err := store.ParseSubjectKey(store.Sensitive(short))
	if !errors.Is(err, store.ErrShortSubjectKey) {
		t.Errorf("31 bytes: %v", err)
	}
	for _, text := range []string{short, "not*base64-planted-key"} {
		_, err := store.ParseSubjectKey(store.Sensitive(text))
		if err == nil || strings.Contains(err.Error(), text[:8]) {
			t.Errorf("error is %v", err)
		}
	}
}

func TestSubjectKeyAndSensitiveNeverPrint(t *testing.T) {
	t.Parallel()
	const planted = "cGxhbnRlZC1zdWJqZWN0LWtleS10aGF0LW11c3Qtbm90LXNob3c="
	key, err := store.ParseSubjectKey(planted)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Key    store.SubjectKey
		Secret store.Sensitive
	}
	h := holder{Key: key, Secret: "planted-secret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X"} {
		for _, value := range []any{h, &h, key, h.Secret, []store.Sensitive{h.Secret}} {
			got := fmt.Sprintf(format, value)
			for _, leak := range []string{"planted", fmt.Sprintf("%x", "planted"), fmt.Sprintf("%X", "planted"), "112 108 97 110"} {
				if strings.Contains(got, leak) {
					t.Errorf("%s of %T prints %q", format, value, got)
				}
			}
		}
	}
}
