package vlenstest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// plainArchiver is the least an archiver does, written without knowing the
// scenario: what it ends with must be what Expected says.
func (c *caller) plainArchive(user User) (outcome string, images map[Kind]Sum) {
	c.t.Helper()
	images = map[Kind]Sum{}
	identifier := user.Phone
	if strings.HasPrefix(identifier, "0") {
		identifier = "+20" + identifier[1:]
	}
	if identifier == "" {
		identifier = user.Email
	}
	if identifier == "" {
		return "failed", images
	}
	listing := c.list(identifier)
	if listing.code(c.t) == CodeUserNotFound {
		return "not_found", images
	}
	data := listing.data(c.t)
	transaction := user.TransactionID
	for key, value := range data {
		if strings.EqualFold(strings.ReplaceAll(key, "_", ""), "transactionid") {
			transaction, _ = value.(string)
		}
	}
	listed := 0
	for i, kind := range Kinds {
		name, _ := data[listingFields[i]].(string)
		if name == "" {
			continue
		}
		listed++
		if at, err := url.Parse(name); err == nil && at.Query().Has("FileName") {
			name, transaction = at.Query().Get("FileName"), at.Query().Get("TransactionId")
		}
		for range 2 {
			if picture := c.tryImage(transaction, name); picture != nil {
				images[kind] = Sum{SHA256: hexSum(picture), Bytes: len(picture)}
				break
			}
		}
	}
	switch {
	case listed == 0:
		return "no_images", images
	case len(images) == 0:
		return "failed", images
	case len(images) < listed:
		return "partial", images
	}
	return "archived", images
}

// tryImage is nil when there is no image to have.
func (c *caller) tryImage(transaction, name string) []byte {
	r := c.image(transaction, name)
	if r.err != nil || r.status != 200 || r.code(c.t) != 0 {
		return nil
	}
	data, _ := r.envelope(c.t)["data"].(map[string]any)
	text, _ := data["image"].(string)
	if _, behind, found := strings.Cut(text, ";base64,"); found {
		text = behind
	}
	picture, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !bytes.HasPrefix(picture, []byte("\xff\xd8\xff")) && !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		return nil
	}
	return picture
}

func TestDemoEndsAsExpected(t *testing.T) {
	t.Parallel()
	scenario := DemoScenario()
	scenario.Quota.Preset = "none"
	c := signedIn(t, Options{ImageBytes: 8 << 10, Scenario: scenario})
	awkward := 0
	for user := range c.server.Users() {
		if _, found := scenario.Users[user.ID]; !found && user.ID > "u-000003" && user.ID != "u-000136" {
			continue
		}
		awkward++
		expected, _ := c.server.Expected(user.ID)
		outcome, images := c.plainArchive(user)
		if outcome != expected.Outcome || fmt.Sprint(images) != fmt.Sprint(expected.Images) {
			t.Errorf("%s: %s with %d images, expected %s (%s) with %d", user.ID, outcome, len(images), expected.Outcome, expected.Class, len(expected.Images))
		}
	}
	if awkward < len(scenario.Users) {
		t.Errorf("only %d awkward users", awkward)
	}
	outcomes := c.server.ExpectedOutcomes()
	total := 0
	for _, outcome := range []string{"archived", "partial", "no_images", "not_found", "failed"} {
		if outcomes[outcome] == 0 {
			t.Errorf("the demo has no user %s", outcome)
		}
		total += outcomes[outcome]
	}
	if total != DemoPeople {
		t.Errorf("%d users have an outcome", total)
	}
}

func BenchmarkDraw(b *testing.B) {
	people := population{size: 1000}
	for i, kind := range Kinds {
		b.Run(string(kind), func(b *testing.B) {
			total := 0
			for b.Loop() {
				total++
				if len(people.draw(picture{index: total%1000 + 1, verification: 1, kind: i}).jpeg()) == 0 {
					b.Fatal("empty picture")
				}
			}
		})
	}
}
