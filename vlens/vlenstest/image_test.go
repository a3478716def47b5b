package vlenstest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"net/http"
	"strings"
	"testing"
)

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// two are a card and a selfie of a sort, since all six take long to draw.
func two(word string) Rules {
	return Rules{Image: "absent", Images: map[Kind]string{IDFront: word, Face3: word}}
}

func TestImagesAreWhatIsExpected(t *testing.T) {
	t.Parallel()
	wrapped := two("jpeg")
	wrapped.Encoding = "wrapped"
	for _, tc := range []struct {
		name    string
		rules   Rules
		options Options
		format  string // as image.Decode names it; "" when it must not decode
		suffix  string
	}{
		{"jpeg", Rules{}, Options{}, "jpeg", ".jpg"},
		{"png", two("png"), Options{}, "png", ".png"},
		{"jpeg named png", two("jpeg_named_png"), Options{}, "jpeg", ".png"},
		{"png named jpg", two("png_named_jpg"), Options{}, "png", ".jpg"},
		{"large", two("large"), Options{}, "jpeg", ".jpg"},
		{"changed", two("changed"), Options{}, "jpeg", ".jpg"},
		{"truncated", two("truncated"), Options{}, "", ".jpg"},
		{"data uri", Rules{Encoding: "data_uri"}, Options{ImageBytes: 20 << 10}, "jpeg", ".jpg"},
		{"wrapped", wrapped, Options{}, "jpeg", ".jpg"},
		{"url alphabet", Rules{Encoding: "url_alphabet"}, Options{ImageBytes: 20 << 10}, "jpeg", ".jpg"},
		{"unpadded", Rules{Encoding: "unpadded"}, Options{ImageBytes: 20 << 10}, "jpeg", ".jpg"},
		{"escaped", Rules{Encoding: "escaped"}, Options{ImageBytes: 20 << 10}, "jpeg", ".jpg"},
		{"stock of 4 KiB", Rules{}, Options{ImageBytes: 4 << 10}, "jpeg", ".jpg"},
		{"stock of 300 KiB", Rules{}, Options{ImageBytes: 300 << 10}, "jpeg", ".jpg"},
		{"stock of 3 MiB", Rules{}, Options{ImageBytes: 3 << 20}, "jpeg", ".jpg"},
		{"stock, wrapped", Rules{Encoding: "wrapped"}, Options{ImageBytes: 20 << 10}, "jpeg", ".jpg"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.options.Scenario = all(tc.rules)
			c := signedIn(t, tc.options)
			person := c.person("u-000002")
			expected, _ := c.server.Expected(person.ID)
			seen := map[string]bool{}
			for i, kind := range Kinds {
				if tc.rules.image(kind) == "absent" {
					continue
				}
				name, _ := c.list(person.Phone).data(t)[listingFields[i]].(string)
				if !strings.HasSuffix(name, tc.suffix) {
					t.Errorf("%s is named %q", kind, name)
				}
				data := c.image(strings.ToUpper(person.TransactionID), name).picture(t)
				if want := expected.Images[kind]; hexSum(data) != want.SHA256 || len(data) != want.Bytes {
					t.Errorf("%s: %d bytes, want %d; hash %.8s, want %.8s", kind, len(data), want.Bytes, hexSum(data), want.SHA256)
				}
				if seen[hexSum(data)] {
					t.Errorf("%s has the bytes of another kind", kind)
				}
				seen[hexSum(data)] = true
				if tc.options.ImageBytes != 0 && len(data) != tc.options.ImageBytes {
					t.Errorf("%s has %d bytes", kind, len(data))
				}
				if tc.name == "large" && len(data) != largeBytes {
					t.Errorf("%s has %d bytes", kind, len(data))
				}
				picture, format, err := image.Decode(bytes.NewReader(data))
				if tc.format == "" {
					if err == nil || http.DetectContentType(data) != "image/jpeg" {
						t.Errorf("%s is no broken JPEG: %v", kind, err)
					}
					continue
				}
				if err != nil || format != tc.format {
					t.Fatalf("%s: %q, %v", kind, format, err)
				}
				if tc.options.ImageBytes == 0 && (picture.Bounds().Dx() > picture.Bounds().Dy()) != (i < 2) {
					t.Errorf("%s is %v: cards lie, selfies stand", kind, picture.Bounds())
				}
			}
		})
	}
}

func TestImagesThatAreNone(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(nil)})
	person := c.person("u-000002")
	fetch := func(content string) reply {
		t.Helper()
		if err := c.server.SetScenario(all(Rules{Images: map[Kind]string{Face3: content}})); err != nil {
			t.Fatal(err)
		}
		return c.image(person.TransactionID, person.FileName(Face3))
	}
	fetch("gone").want(t, 404, CodeImageNotFound)
	fetch("absent").want(t, 404, CodeImageNotFound)
	if got := fetch("empty").data(t)["image"]; got != "" {
		t.Errorf("empty: %v", got)
	}
	if r := fetch("data_null"); r.code(t) != 0 || r.envelope(t)["data"] != nil {
		t.Errorf("data_null: %.80s", r.body)
	}
	if got, _ := fetch("invalid_base64").data(t)["image"].(string); !strings.Contains(got, "*") {
		t.Errorf("invalid_base64: %q", got)
	}
	if data := fetch("not_image").picture(t); http.DetectContentType(data) == "image/jpeg" {
		t.Error("not_image is an image")
	}
	fetch("error").want(t, 500, CodeUnspecified)
}

func TestImageNeedsItsOwnTransaction(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(nil)})
	mine, other := c.person("u-000002"), c.person("u-000003")
	c.image(mine.TransactionID, other.FileName(IDFront)).want(t, 404, CodeImageNotFound)
	c.image(other.TransactionID, mine.FileName(IDFront)).want(t, 404, CodeImageNotFound)
	c.image(mine.TransactionID, "").want(t, 404, CodeImageNotFound)
	c.image("not-a-uuid", mine.FileName(IDFront)).want(t, 404, CodeTransactionNotFound)
	c.image("", mine.FileName(IDFront)).want(t, 400, CodeTransactionMissing)
	c.get(imagePath+"?TransactionId="+mine.TransactionID+"&FileName="+mine.FileName(IDFront)+"&ImpersonatedTenantId=1024").want(t, 403, 403)
	if r := c.get(imagePath + "?transactionid=" + mine.TransactionID + "&FILENAME=" + mine.FileName(IDFront) + "&LogId=x"); r.status != 200 {
		t.Errorf("query names in other case: status %d", r.status)
	}
	if err := c.server.SetScenario(all(Rules{Transaction: "optional"})); err != nil {
		t.Fatal(err)
	}
	if r := c.image("", mine.FileName(IDFront)); r.status != 200 {
		t.Errorf("optional transaction: status %d", r.status)
	}
}

func TestReverificationReplacesNamesAndTransaction(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(nil)})
	before := c.person("u-000002")
	old := c.image(before.TransactionID, before.FileName(Liveness)).picture(t)
	change := func(rules Rules) {
		t.Helper()
		if err := c.server.Change(func(sc *Scenario) { sc.Users["u-000002"] = rules }); err != nil {
			t.Fatal(err)
		}
	}
	change(Rules{Verification: 2})
	after := c.person("u-000002")
	if after.TransactionID == before.TransactionID || after.FileName(IDFront) == before.FileName(IDFront) || !after.VerifiedAt.After(before.VerifiedAt) || after.Phone != before.Phone {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if got := c.list(after.Phone).data(t)["transactionId"]; got != after.TransactionID {
		t.Errorf("the listing shows transaction %v", got)
	}
	if hexSum(c.image(after.TransactionID, after.FileName(Liveness)).picture(t)) == hexSum(old) {
		t.Error("the new selfie has the bytes of the old one")
	}
	c.image(before.TransactionID, before.FileName(Liveness)).want(t, 404, CodeTransactionNotFound)
	change(Rules{Verification: 2, OldImages: "kept"})
	if hexSum(c.image(before.TransactionID, before.FileName(Liveness)).picture(t)) != hexSum(old) {
		t.Error("the kept image changed")
	}
	change(Rules{Images: map[Kind]string{Liveness: "changed"}})
	if hexSum(c.image(before.TransactionID, before.FileName(Liveness)).picture(t)) == hexSum(old) {
		t.Error("the changed image has the same bytes")
	}
}

func TestSharedTransactionAndRecycledNumber(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(func(sc *Scenario) {
		sc.Users = map[string]Rules{"u-000002": {SharesOf: "u-000001"}, "u-000003": {PhoneOf: "u-000001"}}
	})})
	first := c.person("u-000001")
	data := c.list(c.person("u-000002").Email).data(t)
	if data["transactionId"] != first.TransactionID || data["idFrontImage"] != first.FileName(IDFront) {
		t.Errorf("u-000002 shows %v", data)
	}
	var row User
	for user := range c.server.Users() {
		if user.ID == "u-000003" {
			row = user
		}
	}
	if row.Phone != first.Phone || row.Email != c.person("u-000003").Email {
		t.Errorf("the recycled number: %+v", row)
	}
	for _, id := range []string{"u-000002", "u-000003"} {
		expected, _ := c.server.Expected(id)
		if expected.Rival != first.ID || expected.TransactionID != first.TransactionID {
			t.Errorf("%s: %+v", id, expected)
		}
	}
}
