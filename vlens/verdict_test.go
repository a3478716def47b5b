package vlens_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"vlens-archiver/vlens"
)

// TestVerdicts has one row for each way in which the documents let an answer
// say what it says.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	html := "<html><body>Bad Gateway</body></html>"
	codes := vlens.Codes{NotFound: []int{9001}, Gone: []int{9002}, Throttled: []int{4003, 9003}, Permanent: []int{9004}}
	const list, img = vlens.EndpointList, vlens.EndpointImage
	for name, test := range map[string]struct {
		endpoint vlens.Endpoint
		status   int
		body     string
		want     vlens.Error // Fault empty: success
	}{
		"success, code null":                  {list, 200, `{"data":{},"error_code":null}`, vlens.Error{}},
		"success, code 0":                     {list, 200, `{"data":{},"error_code":0}`, vlens.Error{}},
		"success, code absent":                {list, 200, `{"data":{}}`, vlens.Error{}},
		"success, code empty text":            {list, 200, `{"data":{},"error_code":""}`, vlens.Error{}},
		"success, code text 0":                {list, 200, `{"data":{},"error_code":"0"}`, vlens.Error{}},
		"success, byte order mark":            {list, 200, "\xef\xbb\xbf" + `{"data":{},"error_code":null}`, vlens.Error{}},
		"success, other case":                 {list, 200, `{"Data":{},"Error_Code":0}`, vlens.Error{}},
		"success, descriptions of any shape":  {list, 200, `{"error_descriptions":[{"a":[1]},"b"],"data":{},"error_message":"تم"}`, vlens.Error{}},
		"200 with a code":                     {list, 200, `{"data":null,"error_code":5000}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200, Code: 5000}},
		"200 with a code beside data":         {list, 200, `{"data":{"idFrontImage":"x"},"error_code":1}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200, Code: 1}},
		"200 with a code before data":         {list, 200, `{"error_code":7000,"data":{}}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200, Code: 7000}},
		"200 with a code in a text":           {list, 200, `{"data":null,"error_code":"5000"}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200, Code: 5000}},
		"200 with a code that is no number":   {list, 200, `{"data":{},"error_code":"E_FAIL"}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200}},
		"200 with a code of another type":     {list, 200, `{"data":{},"error_code":{"a":1}}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200}},
		"200, ABP error":                      {list, 200, `{"result":null,"success":false,"error":{"code":77,"message":"m","details":null},"unAuthorizedRequest":false,"__abp":true}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200, Code: 77}},
		"200, ABP failure without error":      {list, 200, `{"data":{},"success":false}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200}},
		"200, data null":                      {list, 200, `{"data":null,"error_code":null}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, data absent":                    {list, 200, `{"error_code":null}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, data of another type":           {list, 200, `{"data":["x"],"error_code":null}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, a field of another type":        {list, 200, `{"data":{"idFrontImage":{"url":"x"}}}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, HTML":                           {list, 200, html, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200, Foreign: true}},
		"200, empty":                          {list, 200, " \n", vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, cut":                            {list, 200, `{"data":{"idFrontImage":"a.jpg"`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, two objects":                    {list, 200, `{"data":{}}{"data":{}}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, image data null":                {img, 200, `{"data":null,"error_code":0}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, image empty":                    {img, 200, `{"data":{"image":""},"error_code":0}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, image null":                     {img, 200, `{"data":{"image":null},"error_code":0}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, image absent":                   {img, 200, `{"data":{},"error_code":0}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, image not base64":               {img, 200, imageText("?!not base64!?"), vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, image is nothing but a prefix":  {img, 200, imageText("data:image/png;base64,"), vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, not an image":                   {img, 200, imageText("Ynl0ZXM="), vlens.Error{Fault: vlens.FaultNotAnImage, Status: 200, Permanent: true}},
		"204":                                 {list, 204, "", vlens.Error{Fault: vlens.FaultBadPayload, Status: 204}},
		"302":                                 {list, 302, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 302, Foreign: true}},
		"200, none of the six names":          {list, 200, `{"data":{"images":{"idFrontImage":"a.jpg"}},"error_code":null}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"200, one of the six names":           {list, 200, `{"data":{"LIVENESSIMAGE":null,"other":1},"error_code":null}`, vlens.Error{}},
		"400 with Vlens envelope":             {list, 400, `{"data":null,"error_code":3001}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 400, Code: 3001}},
		"400 that looks like a success":       {list, 400, `{"data":{},"error_code":null}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 400}},
		"404 list, JSON":                      {list, 404, `{"data":null,"error_code":12}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 404, Code: 12, Permanent: true}},
		"404 list, empty":                     {list, 404, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"404 list, JSON of a gateway":         {list, 404, `{"message":"no Route matched with those values"}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"404 list, a gateway's code":          {list, 404, `{"error":{"code":404,"status":"NOT_FOUND"}}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Code: 404, Foreign: true}},
		"404 list, problem details":           {list, 404, `{"type":"about:blank","title":"Not Found","status":404}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"404 list, no code":                   {list, 404, `{"data":null,"error_code":null}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 404, Permanent: true}},
		"404 list, code of another failure":   {list, 404, `{"data":null,"error_code":5000}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Code: 5000}},
		"404 list, code of another status":    {list, 404, `{"data":null,"error_code":500}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Code: 500}},
		"404 list, HTML of a gateway":         {list, 404, html, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"404 list, code says gone":            {list, 404, `{"error_code":9002}`, vlens.Error{Fault: vlens.FaultGone, Status: 404, Code: 9002, Permanent: true}},
		"404 image, empty":                    {img, 404, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"404 image, JSON of a gateway":        {img, 404, `{"data":null}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"404 image, JSON":                     {img, 404, `{"data":null,"error_code":12}`, vlens.Error{Fault: vlens.FaultGone, Status: 404, Code: 12, Permanent: true}},
		"404 image, HTML of a gateway":        {img, 404, html, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"code repeats 404, list":              {list, 200, `{"data":null,"error_code":404}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 200, Code: 404, Permanent: true}},
		"code repeats 404, list, in a text":   {list, 400, `{"data":null,"error_code":"404"}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 400, Code: 404, Permanent: true}},
		"code repeats 404, list, in ABP":      {list, 500, `{"success":false,"error":{"code":404},"__abp":true}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 500, Code: 404, Permanent: true}},
		"code repeats 404, image":             {img, 200, `{"data":null,"error_code":404}`, vlens.Error{Fault: vlens.FaultGone, Status: 200, Code: 404, Permanent: true}},
		"code repeats 404 beside 403":         {list, 403, `{"error_code":404}`, vlens.Error{Fault: vlens.FaultForbidden, Status: 403, Code: 404, Permanent: true}},
		"code repeats 404 beside 503":         {list, 503, `{"error_code":404}`, vlens.Error{Fault: vlens.FaultThrottled, Status: 503, Code: 404}},
		"404 image, code says not found":      {img, 404, `{"error_code":9001}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 404, Code: 9001, Permanent: true}},
		"422":                                 {img, 422, `{"error_code":5001}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 422, Code: 5001}},
		"500 with Vlens envelope":             {list, 500, `{"data":null,"error_code":5000}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 500, Code: 5000}},
		"500 with ABP envelope":               {list, 500, `{"success":false,"error":{"code":0,"message":"m"}}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 500}},
		"502, HTML":                           {img, 502, html, vlens.Error{Fault: vlens.FaultVendorError, Status: 502, Foreign: true}},
		"500, HTML":                           {list, 500, html, vlens.Error{Fault: vlens.FaultVendorError, Status: 500, Foreign: true}},
		"405, empty":                          {list, 405, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 405, Foreign: true}},
		"407, empty":                          {list, 407, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 407, Foreign: true}},
		"unknown code":                        {list, 200, `{"error_code":123456}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 200, Code: 123456}},
		"listed: not found":                   {list, 200, `{"error_code":9001}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 200, Code: 9001, Permanent: true}},
		"listed: not found, as 500":           {list, 500, `{"error_code":9001}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 500, Code: 9001, Permanent: true}},
		"listed: not found, in ABP":           {list, 500, `{"success":false,"error":{"code":9001}}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 500, Code: 9001, Permanent: true}},
		"listed: not found, as 403":           {list, 403, `{"error_code":9001}`, vlens.Error{Fault: vlens.FaultNotFound, Status: 403, Code: 9001, Permanent: true}},
		"listed: gone":                        {img, 200, `{"error_code":9002}`, vlens.Error{Fault: vlens.FaultGone, Status: 200, Code: 9002, Permanent: true}},
		"listed: permanent":                   {img, 500, `{"error_code":9004}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 500, Code: 9004, Permanent: true}},
		"listed: throttled":                   {list, 200, `{"error_code":9003}`, vlens.Error{Fault: vlens.FaultThrottled, Status: 200, Code: 9003}},
		"4003":                                {list, 200, `{"error_code":4003}`, vlens.Error{Fault: vlens.FaultThrottled, Status: 200, Code: 4003}},
		"429":                                 {list, 429, "", vlens.Error{Fault: vlens.FaultThrottled, Status: 429}},
		"code repeats 429":                    {list, 200, `{"error_code":429}`, vlens.Error{Fault: vlens.FaultThrottled, Status: 200, Code: 429}},
		"503, empty":                          {img, 503, "", vlens.Error{Fault: vlens.FaultThrottled, Status: 503}},
		"503, HTML":                           {list, 503, html, vlens.Error{Fault: vlens.FaultThrottled, Status: 503, Foreign: true}},
		"403":                                 {list, 403, `{"error_code":403}`, vlens.Error{Fault: vlens.FaultForbidden, Status: 403, Code: 403, Permanent: true}},
		"403 image":                           {img, 403, `{"error_code":403}`, vlens.Error{Fault: vlens.FaultForbidden, Status: 403, Code: 403, Permanent: true}},
		"403, empty":                          {list, 403, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 403, Foreign: true}},
		"403, HTML":                           {img, 403, html, vlens.Error{Fault: vlens.FaultVendorError, Status: 403, Foreign: true}},
		"403, JSON of a gateway":              {list, 403, `{"message":"Forbidden"}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 403, Foreign: true}},
		"401, HTML":                           {list, 401, html, vlens.Error{Fault: vlens.FaultVendorError, Status: 401, Foreign: true}},
		"403, ABP":                            {list, 403, `{"success":false,"error":{"code":0},"unAuthorizedRequest":true}`, vlens.Error{Fault: vlens.FaultForbidden, Status: 403, Permanent: true}},
		"code repeats 403":                    {list, 200, `{"error_code":403}`, vlens.Error{Fault: vlens.FaultForbidden, Status: 200, Code: 403, Permanent: true}},
		"401":                                 {list, 401, "", vlens.Error{Fault: vlens.FaultUnauthorized, Status: 401, Permanent: true}},
		"401, whatever the code":              {list, 401, `{"error_code":9001}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 401, Code: 9001, Permanent: true}},
		"code repeats 401":                    {img, 200, `{"error_code":"401"}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 200, Code: 401, Permanent: true}},
		"500, ABP says unauthorized":          {list, 500, `{"success":false,"unAuthorizedRequest":true}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 500, Permanent: true}},
		"200, body larger than an answer can": {list, 200, `{"data":{"x":"` + string(make([]byte, 1<<20)) + `"}}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List, v.Image = says(test.status, test.body), says(test.status, test.body)
				c := v.client(t, func(c *vlens.Config) { c.Attempts, c.Codes = 1, codes })
				var err error
				if test.endpoint == list {
					_, err = c.List(t.Context(), phone)
				} else {
					_, err = c.Image(t.Context(), wanted)
				}
				if test.want.Fault == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				test.want.Endpoint = test.endpoint
				wantFault(t, err, test.want)
			})
		})
	}
}

// What the configuration says of 404 goes before what the number means elsewhere.
func TestConfiguredCode404(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		codes vlens.Codes
		want  vlens.Error
	}{
		"gone":      {vlens.Codes{Gone: []int{404}}, vlens.Error{Fault: vlens.FaultGone, Status: 200, Code: 404, Permanent: true}},
		"permanent": {vlens.Codes{Permanent: []int{404}}, vlens.Error{Fault: vlens.FaultVendorError, Status: 200, Code: 404, Permanent: true}},
		"throttled": {vlens.Codes{Throttled: []int{404}}, vlens.Error{Fault: vlens.FaultThrottled, Status: 200, Code: 404}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = says(200, `{"data":null,"error_code":404}`)
				_, err := v.client(t, func(c *vlens.Config) { c.Codes = test.codes }).List(t.Context(), phone)
				test.want.Endpoint = vlens.EndpointList
				wantFault(t, err, test.want)
			})
		})
	}
}

// A 404 whose body could not be read may be a gateway's, so it is not definite;
// any other status says enough by itself.
func TestUnreadBodyOfAFailure(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		want   vlens.Error
	}{
		"404": {404, vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"500": {500, vlens.Error{Fault: vlens.FaultVendorError, Status: 500}},
		"429": {429, vlens.Error{Fault: vlens.FaultThrottled, Status: 429}},
		"200": {200, vlens.Error{Fault: vlens.FaultNetwork, Status: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Length", "1000")
					w.WriteHeader(test.status)
					_, _ = io.WriteString(w, `{"error_code":`)
				}
				_, err := v.client(t, once).List(t.Context(), phone)
				test.want.Endpoint = vlens.EndpointList
				wantFault(t, err, test.want)
			})
		})
	}
}

func TestLoginVerdicts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   vlens.Error
	}{
		"400":                    {400, `{"error_code":1}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 400, Code: 1, Permanent: true}},
		"401":                    {401, "", vlens.Error{Fault: vlens.FaultUnauthorized, Status: 401, Permanent: true}},
		"403":                    {403, `{"error_code":1}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 403, Code: 1, Permanent: true}},
		"403, HTML":              {403, "<html>", vlens.Error{Fault: vlens.FaultVendorError, Status: 403, Foreign: true}},
		"403, empty":             {403, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 403, Foreign: true}},
		"404":                    {404, `{"error_code":1}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 404, Code: 1, Permanent: true}},
		"404, empty":             {404, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"404, HTML of a gateway": {404, "<html>", vlens.Error{Fault: vlens.FaultVendorError, Status: 404, Foreign: true}},
		"302 to a login page":    {302, "", vlens.Error{Fault: vlens.FaultVendorError, Status: 302, Foreign: true}},
		"200 with a code":        {200, `{"data":null,"error_code":3}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 200, Code: 3, Permanent: true}},
		"500, ABP unauthorized":  {500, `{"success":false,"unAuthorizedRequest":true}`, vlens.Error{Fault: vlens.FaultUnauthorized, Status: 500, Permanent: true}},
		"500":                    {500, `{"error_code":5000}`, vlens.Error{Fault: vlens.FaultVendorError, Status: 500, Code: 5000}},
		"no token":               {200, `{"data":{"accessToken":""}}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"token unfit for HTTP":   {200, `{"data":{"accessToken":"a\r\nb"}}`, vlens.Error{Fault: vlens.FaultBadPayload, Status: 200}},
		"429":                    {429, "", vlens.Error{Fault: vlens.FaultThrottled, Status: 429}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.Login = says(test.status, test.body)
				c := v.client(t, once)
				_, err := c.List(t.Context(), phone)
				test.want.Endpoint = vlens.EndpointLogin
				wantFault(t, err, test.want)
				if len(v.seen(listPath)) != 0 {
					t.Error("listed without a token")
				}
			})
		})
	}
}

func TestContentTypeDoesNotMatter(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.List = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, listing(`"idBackImage":"back.png"`))
		}
		l, err := v.client(t, nil).List(t.Context(), phone)
		if err != nil || l.References[vlens.IDBackImage].FileName != "back.png" {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

// What would reach the vendor's default path is not sent.
func TestEmptyValuesAreRefused(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, nil)
		for name, ask := range map[string]func(context.Context) error{
			"list": func(ctx context.Context) error { _, err := c.List(ctx, ""); return err },
			"image": func(ctx context.Context) error {
				_, err := c.Image(ctx, vlens.ImageRequest{TransactionID: transaction})
				return err
			},
			"transaction": func(ctx context.Context) error {
				_, err := c.Image(ctx, vlens.ImageRequest{TransactionID: "7", FileName: fileName})
				return err
			},
		} {
			if err := ask(t.Context()); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		v.wantRequests(t, 0, 0, 0, 0)
	})
}

func TestRequestsAsDocumented(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, func(c *vlens.Config) { c.UserAgent = "archiver/1" })
		if _, err := c.List(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"0F8FAD5B-D9CB-469F-A165-70867728950E", "{0f8fad5b-D9CB-469F-A165-70867728950E}", ""} {
			i, err := c.Image(t.Context(), vlens.ImageRequest{TransactionID: id, FileName: "a b+c&d.jpg"})
			if err != nil {
				t.Fatal(err)
			}
			i.Release()
		}
		requests := v.seen("")
		const named = "FileName=a+b%2Bc%26d.jpg"
		for n, want := range []string{"", "emailOrPhoneNumber=%2B201001234567", named + "&TransactionId=" + transaction, named + "&TransactionId=" + transaction, named} {
			r := requests[n]
			if r.rawQuery != want {
				t.Errorf("query %q, want %q", r.rawQuery, want)
			}
			if r.header.Get("ApiKey") != "key-1" || r.header.Get("TenancyName") != "acme" || r.header.Get("User-Agent") != "archiver/1" {
				t.Errorf("%s: headers %v", r.path, r.header)
			}
			if r.length != int64(len(r.body)) {
				t.Errorf("%s: a body of length %d", r.path, r.length)
			}
			if bearer := r.header.Get("Authorization"); (n > 0) != (bearer == "Bearer access-1") {
				t.Errorf("%s: Authorization %q", r.path, bearer)
			}
		}
		const login = `{"password":"open sesame","tenancyName":"acme","userNameOrEmailAddress":"archiver"}`
		if requests[0].body != login || requests[0].header.Get("Content-Type") != "application/json" {
			t.Errorf("login sent %q", requests[0].body)
		}
	})
}
