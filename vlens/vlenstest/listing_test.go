package vlenstest

import (
	"net/url"
	"strings"
	"testing"
)

func TestListingReferences(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		references string
		extra      string // the field beside the six names
		host       string // of URLs; "-" for bare names, "here" for this server
	}{
		{"", "transactionId", "-"},
		{"transaction_field", "transactionId", "-"},
		{"transaction_pascal", "TransactionId", "-"},
		{"transaction_snake", "transaction_id", "-"},
		{"names", "", "-"},
		{"absolute_urls", "", "here"},
		{"relative_urls", "", ""},
		{"foreign_urls", "", foreignHost},
	} {
		t.Run(word(tc.references, "default"), func(t *testing.T) {
			t.Parallel()
			c := signedIn(t, Options{Scenario: all(Rules{References: tc.references})})
			person := c.person("u-000003")
			data := c.list(person.Phone).data(t)
			if fields := len(data); fields != KindCount+len(tc.extra)/max(1, len(tc.extra)) {
				t.Errorf("the listing has %d fields", fields)
			}
			if tc.extra != "" {
				if got, _ := data[tc.extra].(string); !strings.EqualFold(got, person.TransactionID) {
					t.Errorf("%s is %q, want %q", tc.extra, got, person.TransactionID)
				}
			}
			for i, field := range listingFields {
				value, _ := data[field].(string)
				name := person.FileName(Kinds[i])
				if tc.host == "-" {
					if value != name {
						t.Errorf("%s is %q, want %q", field, value, name)
					}
					continue
				}
				at, err := url.Parse(value)
				if err != nil {
					t.Fatal(err)
				}
				want := tc.host
				if want == "here" {
					want = strings.TrimPrefix(c.base, "http://")
				}
				if at.Host != want || at.Path != imagePath || at.Query().Get("FileName") != name || at.Query().Get("TransactionId") != person.TransactionID {
					t.Errorf("%s is %q", field, value)
				}
			}
		})
	}
}

func TestListingShowsAbsentImages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		missing string
		value   any
		present bool
	}{
		{"null", nil, true},
		{"empty", "", true},
		{"absent", nil, false},
	} {
		t.Run(tc.missing, func(t *testing.T) {
			t.Parallel()
			c := signedIn(t, Options{Scenario: all(Rules{Missing: tc.missing, Images: map[Kind]string{Face2: "absent"}})})
			data := c.list(c.person("u-000001").Phone).data(t)
			value, present := data["livenessFace02Image"]
			if value != tc.value || present != tc.present {
				t.Errorf("got %v, present %t", value, present)
			}
			if data["livenessFace01Image"] == nil {
				t.Error("the next image is missing too")
			}
		})
	}
}

func TestListingOfUserWithoutImages(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: all(Rules{Listing: "empty"})})
	data := c.list(c.person("u-000001").Phone).data(t)
	for _, field := range listingFields {
		if data[field] != nil {
			t.Errorf("%s is %v", field, data[field])
		}
	}
	c = signedIn(t, Options{Scenario: all(Rules{Listing: "data_null"})})
	r := c.list(c.person("u-000001").Phone)
	r.want(t, 200, 0)
	if data := r.envelope(t)["data"]; data != nil {
		t.Errorf("data is %v", data)
	}
}

func TestListingMatchesExactly(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(nil)})
	person := c.person("u-000004")
	const path = "/api/digitalidentity/GETUSERDIGITALIDENTITYIMAGES?EMAILORPHONENUMBER="
	for _, tc := range []struct {
		name, query string
		found       bool
	}{
		{"phone", url.QueryEscape(person.Phone), true},
		{"email", url.QueryEscape(person.Email), true},
		{"raw plus", person.Phone, false},
		{"no plus", person.Phone[1:], false},
		{"local phone", localForm(person.Phone), false},
		{"email in capitals", url.QueryEscape(strings.ToUpper(person.Email)), false},
		{"email of another domain", url.QueryEscape(strings.Split(person.Email, "@")[0] + "@example.edu"), false},
		{"another number", url.QueryEscape("+201000000001"), false},
		{"nothing", "", false},
		{"broken escape", "%zz", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := c.get(path + tc.query)
			if tc.found {
				r.want(t, 200, 0)
			} else {
				r.want(t, 404, CodeUserNotFound)
			}
		})
	}
}

func TestEnvelopeShapes(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(nil)})
	person := c.person("u-000001")
	set := func(rules Rules) {
		t.Helper()
		if err := c.server.SetScenario(all(rules)); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("errors", func(t *testing.T) {
		for errors, status := range map[string]int{"": 404, "status": 404, "ok": 200, "server_error": 500, "abp": 500} {
			set(Rules{User: "unknown", Errors: errors})
			c.list(person.Phone).want(t, status, CodeUserNotFound)
		}
		set(Rules{Errors: "ok"})
		token := c.headers["Authorization"]
		c.headers["Authorization"] = ""
		c.list(person.Phone).want(t, 401, 401)
		set(Rules{Errors: "abp"})
		r := c.list(person.Phone)
		r.want(t, 401, 401)
		if envelope := r.envelope(t); envelope["unAuthorizedRequest"] != true || envelope["success"] != false || envelope["__abp"] != true {
			t.Errorf("ABP envelope is %v", envelope)
		}
		c.headers["Authorization"] = token
	})
	t.Run("success codes", func(t *testing.T) {
		for said, want := range map[string]struct{ list, image any }{
			"":       {nil, 0.0},
			"null":   {nil, nil},
			"zero":   {0.0, 0.0},
			"absent": {"absent", "absent"},
		} {
			set(Rules{SuccessCode: said})
			for _, got := range []struct {
				reply reply
				want  any
			}{
				{c.list(person.Phone), want.list},
				{c.image(person.TransactionID, person.FileName(Face1)), want.image},
			} {
				code, present := got.reply.envelope(t)["error_code"]
				if !present {
					code = "absent"
				}
				if code != got.want {
					t.Errorf("%q: error_code %v, want %v", said, code, got.want)
				}
			}
		}
	})
	t.Run("messages", func(t *testing.T) {
		set(Rules{User: "unknown", Message: "arabic", Descriptions: "array", ContentType: "text_plain"})
		r := c.list(person.Phone)
		if message, _ := r.envelope(t)["error_message"].(string); message != failUser.arabic {
			t.Errorf("message is %q", message)
		}
		if _, ok := r.envelope(t)["error_descriptions"].([]any); !ok {
			t.Error("error_descriptions is no array")
		}
		if got := r.header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
			t.Errorf("content type is %q", got)
		}
		set(Rules{User: "unknown", Descriptions: "object"})
		if _, ok := c.list(person.Phone).envelope(t)["error_descriptions"].(map[string]any); !ok {
			t.Error("error_descriptions is no object")
		}
	})
}

func TestTransactionBelongsToItsPhone(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{})
	person := c.person("u-000002")
	items, _ := c.get("/api/transactions/gettransactionbyid?ID=" + strings.ToUpper(person.TransactionID)).data(t)["transactionItems"].(map[string]any)
	if items["phoneNumber"] != person.Phone {
		t.Errorf("phone is %v", items["phoneNumber"])
	}
	c.get("/api/Transactions/GetTransactionById?id=0e9b3a3c-4a52-4d3f-9a60-4f3f4d1f0c11").want(t, 404, CodeTransactionNotFound)
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{})
	c.get("/v1/api/DigitalIdentity/GetStepImage").want(t, 404, 404)
	c.get("/api/credentials/Login").want(t, 404, 404)
}
