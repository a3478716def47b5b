package vlenstest

import "strings"

// Behaviour is one thing a scenario can say.
type Behaviour struct {
	Name  string // key and value, as in the scenario file: "references: names"
	Scope string // "tenant", or "user" for what stands under all, samples and users
	Doc   string // one sentence
}

// choice is a row of the table of behaviours: a key and one of its words. The
// first word of a key is its default.
type choice struct{ key, word, doc string }

// choices is the one table of what a scenario can say in words: it is checked
// against, and the help text is made from it.
var choices = []choice{
	{"auth.permission", "granted", "the admin account holds the \"Requests\" permission"},
	{"auth.permission", "missing", "it does not: the listing is refused"},
	{"auth.account", "admin", "login gives an admin token"},
	{"auth.account", "end_user", "login gives an end-user token: listing and images are refused"},
	{"auth.refresh", "works", "a refresh token can be used until it expires"},
	{"auth.refresh", "rotating", "a refresh token dies when it is used"},
	{"auth.refresh", "refused", "refreshing fails while login works"},
	{"auth.refresh_fields", "both", "a refresh fills refreshToken and newRefreshToken; the new one counts"},
	{"auth.refresh_fields", "new", "a refresh fills newRefreshToken only"},
	{"auth.refresh_fields", "old", "a refresh fills refreshToken only"},
	{"auth.refresh_fields", "none", "a refresh fills neither: the old one stays in use"},
	{"auth.tenancy_header", "login", "TenancyName is required at login only"},
	{"auth.tenancy_header", "always", "TenancyName is required on every request"},

	{"quota.preset", "digital_identity", "10 requests a second and 60 a minute"},
	{"quota.preset", "ocr", "15 requests a second and 120 a minute"},
	{"quota.preset", "none", "no limit unless per_second or per_minute is set"},
	{"quota.reply", "429", "throttled requests hear 429"},
	{"quota.reply", "429_seconds", "429 with Retry-After in seconds"},
	{"quota.reply", "429_date", "429 with Retry-After as an HTTP date"},
	{"quota.reply", "503", "503 with an empty body"},
	{"quota.reply", "4003", "200 with error_code 4003"},

	{"row", "full", "the user row has phone, email, transaction and date"},
	{"row", "local_phone", "the phone is in its local form, 01001234567; every fifth full row is"},
	{"row", "no_phone", "the phone is empty"},
	{"row", "no_email", "the email is empty"},
	{"row", "no_identifier", "phone and email are empty"},
	{"row", "no_transaction", "the transaction id is empty"},
	{"row", "upper_transaction", "the transaction id is in upper case"},
	{"user", "known", "the tenant knows the user"},
	{"user", "unknown", "the tenant has no such user"},
	{"listing", "full", "the listing shows what the user has"},
	{"listing", "empty", "the user is known and has no image"},
	{"listing", "renamed", "the listing's data has members, and none of the six names"},
	{"listing", "data_null", "the listing's data is null and there is no error code"},
	{"references", "transaction_field", "bare file names, and transactionId beside them"},
	{"references", "transaction_pascal", "bare file names, and TransactionId in upper case"},
	{"references", "transaction_snake", "bare file names, and transaction_id"},
	{"references", "names", "bare file names only, as the published schema has it"},
	{"references", "absolute_urls", "GetStepImage URLs on this server"},
	{"references", "relative_urls", "GetStepImage paths"},
	{"references", "foreign_urls", "GetStepImage URLs on another host, which must never be called"},
	{"missing", "null", "an absent image is null in the listing"},
	{"missing", "empty", "an absent image is \"\" in the listing"},
	{"missing", "absent", "an absent image has no key in the listing"},
	{"transaction", "required", "an image needs its transaction id"},
	{"transaction", "optional", "an image is also found by its file name alone"},
	{"old_images", "gone", "images of earlier verifications no longer resolve"},
	{"old_images", "kept", "they still do"},

	{"image", "jpeg", "a drawn picture as JPEG"},
	{"image", "png", "as PNG, named .png"},
	{"image", "jpeg_named_png", "JPEG bytes under a .png name"},
	{"image", "png_named_jpg", "PNG bytes under a .jpg name"},
	{"image", "large", "a JPEG of 4.9 MiB, just under the vendor's upload limit"},
	{"image", "truncated", "a JPEG that breaks off in the middle"},
	{"image", "not_image", "bytes that are no image"},
	{"image", "changed", "another picture under the same file name"},
	{"image", "gone", "listed, but no longer there"},
	{"image", "absent", "not in the listing"},
	{"image", "empty", "the image is \"\""},
	{"image", "data_null", "data is null and there is no error code"},
	{"image", "invalid_base64", "the image is not base64"},
	{"encoding", "standard", "padded standard base64"},
	{"encoding", "data_uri", "with a data: prefix"},
	{"encoding", "wrapped", "with line breaks after 76 characters"},
	{"encoding", "url_alphabet", "in the URL alphabet"},
	{"encoding", "unpadded", "without padding"},
	{"encoding", "escaped", "with / written as \\/ in the JSON"},

	{"errors", "status", "errors have their HTTP status and the Vlens envelope"},
	{"errors", "ok", "errors are HTTP 200 with an error_code"},
	{"errors", "server_error", "errors are HTTP 500 with an error_code"},
	{"errors", "abp", "errors have the ASP.NET Boilerplate envelope on 401, 403 or 500"},
	{"success_code", "documented", "error_code is absent at login, null in a listing and 0 with an image"},
	{"success_code", "null", "error_code is null on success"},
	{"success_code", "zero", "error_code is 0 on success"},
	{"success_code", "absent", "there is no error_code on success"},
	{"message", "english", "error messages are English"},
	{"message", "arabic", "error messages are Arabic"},
	{"descriptions", "null", "error_descriptions is null"},
	{"descriptions", "array", "error_descriptions is an array"},
	{"descriptions", "object", "error_descriptions is an object"},
	{"content_type", "json", "JSON is served as application/json"},
	{"content_type", "text_plain", "JSON is served as text/plain"},

	{faultKey, "slow_headers", "nothing for the delay, then the answer"},
	{faultKey, "slow_body", "the body drips over the delay"},
	{faultKey, "stall", "half the body, then silence until the client leaves"},
	{faultKey, "reset", "half the body, then a connection reset"},
	{faultKey, "long_length", "Content-Length promises more than comes"},
	{faultKey, "short_length", "Content-Length promises less: the body is cut"},
	{faultKey, "error", "500 with error_code 5000"},
	{faultKey, "error_404", "404 with error_code 5000: status and code contradict each other"},
	{faultKey, "html_502", "a gateway's 502 with an HTML page"},
	{faultKey, "html_403", "a firewall's 403 with an HTML page"},
	{faultKey, "html_404", "a gateway's 404 with an HTML page"},
	{faultKey, "html_401", "a proxy's 401 with an HTML page"},
	{faultKey, "html_200", "200 with an HTML page, as portals that ask for a login answer"},
	{faultKey, "json_404", "a gateway's 404 with JSON that is not the vendor's"},
	{faultKey, "empty_503", "503 with an empty body"},
	{faultKey, "empty_407", "407 with an empty body: a proxy wants credentials"},
	{faultKey, "empty_404", "404 with an empty body"},
	{faultKey, "empty_403", "403 with an empty body"},
	{faultKey, "empty_401", "401 with an empty body"},
	{faultKey, "empty_200", "200 with an empty body"},
	{faultKey, "redirect", "302 to a login page on another host, which must never be called"},
	{faultKey, "throttled", "the reply to a request over the quota"},
}

// faultKey stands in the table for the places that take a fault: a value under
// faults or images, and outage.fault.
const faultKey = "faults.ENDPOINT"

// quantities are the keys that take something other than one of a few words.
var quantities = []Behaviour{
	{"latency: DURATION", "tenant", "added to every answer"},
	{"delay: DURATION", "tenant", "how long slow_headers and slow_body take; 2s"},
	{"auth.token_lifetime: DURATION", "tenant", "how long an access token lives; 24h"},
	{"auth.refresh_lifetime: DURATION", "tenant", "how long a refresh token lives; 168h"},
	{"auth.revoke_at: [N, …]", "tenant", "at the Nth request every access token dies"},
	{"auth.deny_from: N", "tenant", "from the Nth request on the \"Requests\" permission is missing"},
	{"auth.api_key_status: 401|403", "tenant", "status for a wrong or missing ApiKey; 401"},
	{"auth.bearer_status: 401|403", "tenant", "status for a wrong, expired or missing bearer token; 401"},
	{"auth.login_status: 400|401|403", "tenant", "status for a wrong password or refresh token; 401"},
	{"auth.permission_status: 401|403", "tenant", "status for a token without the right; 403"},
	{"quota.per_second: N", "tenant", "requests in any second, over all endpoints; 0 is the preset's"},
	{"quota.per_minute: N", "tenant", "requests in any minute; 0 is the preset's"},
	{"quota.retry_after: DURATION", "tenant", "what Retry-After says; 0 is until the window has room"},
	{"quota.count_denied: true", "tenant", "throttled requests fill the windows too"},
	{"outage.from: N", "tenant", "from the Nth request on everything fails"},
	{"outage.requests: N", "tenant", "for N requests; 0 is for ever"},
	{"outage.fault: FAULT", "tenant", "how; html_502"},
	{"samples: [{percent: P, rules: {…}}]", "tenant", "rules for a seeded share of the users"},
	{"verification: N", "user", "the user has verified N times: new names, new transaction"},
	{"phone_of: ID", "user", "the row carries another user's phone: a recycled number"},
	{"transaction_of: ID", "user", "the listing shows another user's transaction and images"},
	{"images.KIND: IMAGE or FAULT", "user", "what one of " + kindList() + " is"},
	{"faults.ENDPOINT: FAULT once", "user", "the fault happens once for each user and image"},
}

// Behaviours lists all a scenario can say, in the order of the file. The first
// word of a key is what happens when the key is left out; faults have no
// default. ENDPOINT is one of login, refresh, list, image and transaction;
// login and refresh belong to no user, so only all reaches them.
func Behaviours() []Behaviour {
	list := make([]Behaviour, 0, len(choices)+len(quantities))
	for _, c := range choices {
		scope := "user"
		if strings.HasPrefix(c.key, "auth.") || strings.HasPrefix(c.key, "quota.") {
			scope = "tenant"
		}
		list = append(list, Behaviour{Name: c.key + ": " + c.word, Scope: scope, Doc: c.doc})
	}
	return append(list, quantities...)
}

// words are the words a key takes, the default first.
func words(key string) []string {
	var list []string
	for _, c := range choices {
		if c.key == key {
			list = append(list, c.word)
		}
	}
	return list
}

func kindList() string {
	var names []string
	for _, kind := range Kinds {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}
