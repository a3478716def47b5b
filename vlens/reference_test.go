package vlens_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"vlens-archiver/vlens"
)

func TestReferences(t *testing.T) {
	t.Parallel()
	const upper, other = "0F8FAD5B-D9CB-469F-A165-70867728950E", "11111111-2222-3333-4444-555555555555"
	for name, test := range map[string]struct {
		value string
		want  vlens.Reference
	}{
		"bare name":                  {"user123_id_front_20240601.jpg", vlens.Reference{FileName: "user123_id_front_20240601.jpg"}},
		"bare name of odd letters":   {"صورة 1 + 2 #3 50%.jpg", vlens.Reference{FileName: "صورة 1 + 2 #3 50%.jpg"}},
		"bare name in a folder":      {"2024/06/front.jpg", vlens.Reference{FileName: "2024/06/front.jpg"}},
		"bare name, question mark":   {"what?.jpg", vlens.Reference{FileName: "what?.jpg"}},
		"empty":                      {"", vlens.Reference{}},
		"white space":                {"  ", vlens.Reference{}},
		"absolute URL":               {"https://api.vlenseg.com/api/DigitalIdentity/GetStepImage?TransactionId=" + upper + "&FileName=front.jpg", vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"relative URL":               {"/api/DigitalIdentity/GetStepImage?FileName=front.jpg&TransactionId=" + transaction, vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"relative, no slash":         {"GetStepImage?FileName=front.jpg&TransactionId=" + transaction, vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"only a query":               {"?filename=front.jpg&transactionid=" + transaction, vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"snake case":                 {"/x?FILENAME=front.jpg&transaction_id=" + transaction, vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"encoded name":               {"/x?FileName=a%20b%2Bc%26d.jpg&TransactionId=%7B" + upper + "%7D", vlens.Reference{FileName: "a b+c&d.jpg", TransactionID: transaction}},
		"name that is badly encoded": {"/x?FileName=50%.jpg", vlens.Reference{FileName: "50%.jpg"}},
		"no transaction":             {"/x?FileName=front.jpg", vlens.Reference{FileName: "front.jpg"}},
		"transaction is no UUID":     {"/x?FileName=front.jpg&TransactionId=17", vlens.Reference{FileName: "front.jpg"}},
		"transaction is nil":         {"/x?FileName=front.jpg&TransactionId=00000000-0000-0000-0000-000000000000", vlens.Reference{FileName: "front.jpg"}},
		"link to nothing":            {"/x?FileName=&TransactionId=" + transaction, vlens.Reference{}},
		"fragment":                   {"https://h/x?FileName=front.jpg#top", vlens.Reference{FileName: "front.jpg"}},
		"name in the path":           {"https://files.example.com/a/front%20side.jpg", vlens.Reference{FileName: "front side.jpg"}},
		"name in the path, query":    {"/files/front.jpg?TransactionId=" + upper, vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"transaction in the path":    {"https://api.vlenseg.com/images/" + upper + "/front.jpg", vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"relative, in the path":      {"/images/%7B" + upper + "%7D/steps/front.jpg?v=2", vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"in the path, name in query": {"/transactions/" + transaction + "?FileName=front.jpg", vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"twice in the path":          {"/" + transaction + "/" + upper + "/front.jpg", vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"the parameter goes first":   {"/" + other + "/front.jpg?transactionId=" + upper, vlens.Reference{FileName: "front.jpg", TransactionID: transaction}},
		"the parameter is no UUID":   {"/" + other + "/front.jpg?transactionId=17", vlens.Reference{FileName: "front.jpg"}},
		"two UUIDs in the path":      {"/" + other + "/" + transaction + "/front.jpg", vlens.Reference{FileName: "front.jpg"}},
		"the name is a UUID":         {"https://h/files/" + upper, vlens.Reference{FileName: upper}},
		"the name is another UUID":   {"/" + transaction + "/" + other, vlens.Reference{FileName: other}},
		"UUID and extension":         {"/files/" + transaction + ".jpg", vlens.Reference{FileName: transaction + ".jpg"}},
		"a nil UUID in the path":     {"/00000000-0000-0000-0000-000000000000/front.jpg", vlens.Reference{FileName: "front.jpg"}},
		"UUID as host":               {"https://" + transaction + "/front.jpg", vlens.Reference{FileName: "front.jpg"}},
		"UUID in the fragment":       {"https://h/front.jpg#/" + transaction + "/x", vlens.Reference{FileName: "front.jpg"}},
		"UUID in a bare folder":      {transaction + "/front.jpg", vlens.Reference{FileName: transaction + "/front.jpg"}},
		"other query":                {"https://h/front.jpg?sig=abc", vlens.Reference{FileName: "front.jpg"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				text, _ := json.Marshal(test.value)
				v.List = says(200, listing(`"livenessFace02Image":`+string(text)))
				l, err := v.client(t, once).List(t.Context(), phone)
				if err != nil {
					t.Fatal(err)
				}
				if got := l.References[vlens.LivenessFace02Image]; got != test.want {
					t.Errorf("%+v, want %+v", got, test.want)
				}
				if l.TransactionID != test.want.TransactionID {
					t.Errorf("listing's transaction %q, want %q", l.TransactionID, test.want.TransactionID)
				}
			})
		})
	}
}

func TestReferenceThatNamesNothingIsAFault(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"https://files.example.com", "https://files.example.com/", "/", "/?TransactionId=" + transaction} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = says(200, listing(`"idFrontImage":"`+value+`"`))
				_, err := v.client(t, once).List(t.Context(), phone)
				wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultBadPayload, Status: 200})
			})
		})
	}
}

func TestListings(t *testing.T) {
	t.Parallel()
	const other = "11111111-2222-3333-4444-555555555555"
	names := [vlens.FieldCount]vlens.Reference{{FileName: "f"}, {FileName: "b"}, {FileName: "l"}, {FileName: "1"}, {FileName: "2"}, {FileName: "3"}}
	all := `"livenessFace03Image":"3","livenessFace02Image":"2","livenessFace01Image":"1","livenessImage":"l","idBackImage":"b","idFrontImage":"f"`
	for name, test := range map[string]struct {
		members string
		want    vlens.Listing
	}{
		"all six, any order":      {all, vlens.Listing{References: names}},
		"other case":              {strings.NewReplacer("id", "ID", "liveness", "LIVENESS", "Image", "image").Replace(all), vlens.Listing{References: names}},
		"null, empty and absent":  {`"idFrontImage":null,"idBackImage":"","livenessImage":"l"`, vlens.Listing{References: [6]vlens.Reference{2: {FileName: "l"}}}},
		"nothing":                 {``, vlens.Listing{}},
		"unknown members":         {`"x":{"idFrontImage":"no"},"idBackImage":"b","y":[1]`, vlens.Listing{References: [6]vlens.Reference{1: {FileName: "b"}}}},
		"transactionId":           {all + `,"transactionId":"` + transaction + `"`, vlens.Listing{References: names, TransactionID: transaction}},
		"TransactionId, capitals": {`"TransactionId":"` + strings.ToUpper(transaction) + `",` + all, vlens.Listing{References: names, TransactionID: transaction}},
		"transaction_id, braces":  {all + `,"transaction_id":"{` + transaction + `}"`, vlens.Listing{References: names, TransactionID: transaction}},
		"transaction is a number": {all + `,"transactionId":17`, vlens.Listing{References: names}},
		"transaction is no UUID":  {all + `,"transactionId":"17"`, vlens.Listing{References: names}},
		"transaction is null":     {all + `,"transactionId":null`, vlens.Listing{References: names}},
		"field before URL": {
			`"idBackImage":"/x?FileName=b&TransactionId=` + other + `","transactionId":"` + transaction + `"`,
			vlens.Listing{References: [6]vlens.Reference{1: {FileName: "b", TransactionID: other}}, TransactionID: transaction},
		},
		"first URL that has one": {
			`"livenessImage":"/x?FileName=l&TransactionId=` + other + `","idBackImage":"/x?FileName=b&TransactionId=` + transaction + `","idFrontImage":"f"`,
			vlens.Listing{References: [6]vlens.Reference{0: {FileName: "f"}, 1: {FileName: "b", TransactionID: transaction}, 2: {FileName: "l", TransactionID: other}}, TransactionID: transaction},
		},
		"escapes": {`"idFrontImage":"\/x?FileName=\u0061.jpg\u0026TransactionId=` + transaction + `"`, vlens.Listing{References: [6]vlens.Reference{{FileName: "a.jpg", TransactionID: transaction}}, TransactionID: transaction}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = says(200, listing(test.members))
				l, err := v.client(t, once).List(t.Context(), phone)
				l.Provenance = vlens.Provenance{}
				if err != nil || l != test.want {
					t.Errorf("%+v, %v; want %+v", l, err, test.want)
				}
			})
		})
	}
}

func TestFieldsHaveTheVendorsNames(t *testing.T) {
	t.Parallel()
	want := "[idFrontImage idBackImage livenessImage livenessFace01Image livenessFace02Image livenessFace03Image]"
	fields := []vlens.Field{vlens.IDFrontImage, vlens.IDBackImage, vlens.LivenessImage, vlens.LivenessFace01Image, vlens.LivenessFace02Image, vlens.LivenessFace03Image}
	if got := fmt.Sprint(fields); got != want || len(fields) != vlens.FieldCount {
		t.Errorf("%s", got)
	}
}
