package vlens_test

import (
	"time"

	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
)

const (
	wholeUser  = "image 200 ×6, list 200, login 200"
	wholeUsers = "image 200 ×18, list 200 ×3, login 200" // three of them
)

// Changes of the configuration.
func withoutCodes(c *vlens.Config)      { c.Codes = vlens.Codes{} }
func withWrongKey(c *vlens.Config)      { c.APIKey = "wrong" }
func withWrongSecret(c *vlens.Config)   { c.Password = "wrong" }
func withSmallImages(c *vlens.Config)   { c.MaxImageBytes = 1 << 20 }
func withPermanent5000(c *vlens.Config) { c.Codes.Permanent = []int{vlenstest.CodeUnspecified} }

var simulatedCases = []simulated{
	{
		name:     "everything is as documented",
		shows:    "auth.permission: granted; auth.account: admin; quota.preset: none; user: known; listing: full; image: jpeg; encoding: standard; errors: status; success_code: documented; content_type: json; references: transaction_field; transaction: required",
		tolerate: []int{1, 3, 9}, scenario: "", images: "stored", requests: wholeUser,
	},

	// Tokens and permissions.
	{
		name: "the permission is missing", shows: "auth.permission: missing", tolerate: []int{5}, users: 3,
		scenario: "auth: {permission: missing}", images: "list forbidden 403/403 final", requests: "list 403 ×4, login 200 ×2",
	},
	{
		name: "the permission goes in the middle", shows: "auth.deny_from: N", tolerate: []int{5}, users: 1,
		scenario: "auth: {deny_from: 2}", images: "list forbidden 403/403 final", requests: "list 403 ×2, login 200 ×2",
	},
	{
		name: "an end user's token", shows: "auth.account: end_user", tolerate: []int{5},
		scenario: "auth: {account: end_user}", images: "list forbidden 403/403 final", requests: "list 403 ×2, login 200 ×2",
	},
	{
		name: "a missing permission is answered with 401", shows: "auth.permission_status: 401|403", tolerate: []int{5},
		scenario: "auth: {permission: missing, permission_status: 401}", images: "list unauthorized 401/403 final",
		requests: "list 401 ×2, login 200, refresh 200",
	},
	{
		name: "tokens die in the middle", shows: "auth.revoke_at: [N, …]; auth.refresh: works", tolerate: []int{5},
		scenario: "auth: {revoke_at: [4, 7]}", images: "stored", requests: "image 200 ×6, image 401 ×2, list 200, login 200, refresh 200 ×2",
	},
	{
		name: "tokens die where 403 means so", shows: "auth.bearer_status: 401|403", tolerate: []int{5},
		scenario: "auth: {revoke_at: [4, 7], bearer_status: 403}", images: "stored", requests: "image 200 ×6, image 403 ×2, list 200, login 200 ×3",
	},
	{
		name: "tokens are renewed before they expire", shows: "auth.token_lifetime: DURATION", users: 3, every: 10 * time.Minute,
		scenario: "auth: {token_lifetime: 10m}", images: "stored", requests: wholeUsers + ", refresh 200 ×2",
	},
	{
		name: "longer than both tokens live", shows: "auth.refresh_lifetime: DURATION", users: 3, every: 10 * time.Minute,
		scenario: "auth: {token_lifetime: 2m, refresh_lifetime: 5m}", images: "stored", requests: "image 200 ×18, list 200 ×3, login 200 ×3, refresh 401 ×2",
	},
	{
		name: "refreshing fails", shows: "auth.refresh: refused", users: 3, every: 10 * time.Minute,
		scenario: "auth: {token_lifetime: 10m, refresh: refused}", images: "stored", requests: "image 200 ×18, list 200 ×3, login 200 ×3, refresh 401 ×2",
	},
	{
		name: "rotating refresh tokens, both fields", shows: "auth.refresh: rotating; auth.refresh_fields: both", tolerate: []int{11}, users: 3, every: 10 * time.Minute,
		scenario: "auth: {token_lifetime: 10m, refresh: rotating}", images: "stored", requests: wholeUsers + ", refresh 200 ×2",
	},
	{
		name: "rotating refresh tokens, the new field", shows: "auth.refresh_fields: new", tolerate: []int{11}, users: 3, every: 10 * time.Minute,
		scenario: "auth: {token_lifetime: 10m, refresh: rotating, refresh_fields: new}", images: "stored", requests: wholeUsers + ", refresh 200 ×2",
	},
	{
		name: "rotating refresh tokens, the old field", shows: "auth.refresh_fields: old", tolerate: []int{11}, users: 3, every: 10 * time.Minute,
		scenario: "auth: {token_lifetime: 10m, refresh: rotating, refresh_fields: old}", images: "stored", requests: wholeUsers + ", refresh 200 ×2",
	},
	{
		name: "no refresh token in a refresh", shows: "auth.refresh_fields: none", tolerate: []int{11}, users: 3, every: 10 * time.Minute,
		scenario: "auth: {token_lifetime: 10m, refresh_fields: none}", images: "stored", requests: wholeUsers + ", refresh 200 ×2",
	},
	{
		name: "the tenancy name at login only", shows: "auth.tenancy_header: login", tolerate: []int{8},
		scenario: "auth: {tenancy_header: login}", images: "stored", requests: wholeUser,
	},
	{
		name: "the tenancy name always", shows: "auth.tenancy_header: always", tolerate: []int{8}, users: 3, every: 10 * time.Minute,
		scenario: "auth: {tenancy_header: always, token_lifetime: 10m}", images: "stored", requests: wholeUsers + ", refresh 200 ×2",
	},
	{
		name: "a wrong API key", shows: "auth.api_key_status: 401|403", tolerate: []int{4}, config: withWrongKey,
		scenario: "", images: "login unauthorized 401/401 final", requests: "login 401",
	},
	{
		name: "a wrong API key where that is 403", shows: "auth.api_key_status: 401|403", tolerate: []int{5}, config: withWrongKey,
		scenario: "auth: {api_key_status: 403}", images: "login unauthorized 403/401 final", requests: "login 403",
	},
	{
		name: "a wrong password", shows: "auth.login_status: 400|401|403", tolerate: []int{4}, config: withWrongSecret, users: 3,
		scenario: "", images: "login unauthorized 401/401 final", requests: "login 401",
	},
	{
		name: "a wrong password where that is 400", shows: "auth.login_status: 400|401|403", tolerate: []int{4}, config: withWrongSecret, users: 3,
		scenario: "auth: {login_status: 400}", images: "login unauthorized 400/401 final", requests: "login 400",
	},
	{
		name: "a wrong password where that is 403", shows: "auth.login_status: 400|401|403", tolerate: []int{5}, config: withWrongSecret, users: 3,
		scenario: "auth: {login_status: 403}", images: "login unauthorized 403/401 final", requests: "login 403",
	},
	{
		name: "a wrong password in the other envelope", shows: "errors: abp", tolerate: []int{13}, config: withWrongSecret, users: 3,
		scenario: "all: {errors: abp}", images: "login unauthorized 401/401 final", requests: "login 401",
	},
	{
		name: "tokens die in the other envelope", shows: "errors: abp", tolerate: []int{13},
		scenario: "{auth: {revoke_at: [4]}, all: {errors: abp}}", images: "stored", requests: "image 200 ×6, image 401, list 200, login 200, refresh 200",
	},
	{
		name: "a missing permission in the other envelope", shows: "errors: abp", tolerate: []int{5, 13},
		scenario: "{auth: {permission: missing}, all: {errors: abp}}", images: "list forbidden 403/403 final", requests: "list 403 ×2, login 200 ×2",
	},

	// The quota. Without one of its own the client runs into the tenant's.
	{
		name: "ten a second", shows: "quota.preset: digital_identity; quota.reply: 429", tolerate: []int{6, 7}, users: 2, pause: 5 * time.Second,
		scenario: "quota: {preset: digital_identity}", images: "stored", requests: "image 200 ×12, image 429, list 200 ×2, login 200",
	},
	{
		name: "fifteen a second", shows: "quota.preset: ocr", tolerate: []int{6, 7}, users: 3, pause: 5 * time.Second,
		scenario: "quota: {preset: ocr}", images: "stored", requests: "image 200 ×18, list 200 ×3, list 429, login 200",
	},
	{
		name: "seconds are told", shows: "quota.per_second: N; quota.reply: 429_seconds; quota.retry_after: DURATION", tolerate: []int{6, 7}, pause: 40 * time.Second,
		scenario: "quota: {preset: none, per_second: 5, reply: 429_seconds, retry_after: 40s}", images: "stored", requests: "image 200 ×6, image 429, list 200, login 200",
	},
	{
		// The simulator's date is a second later than its seconds.
		name: "a date is told", shows: "quota.per_second: N; quota.reply: 429_date", tolerate: []int{7}, pause: 41 * time.Second,
		scenario: "quota: {preset: none, per_second: 5, reply: 429_date, retry_after: 40s}", images: "stored", requests: "image 200 ×6, image 429, list 200, login 200",
	},
	{
		name: "too many is 503", shows: "quota.reply: 503", tolerate: []int{7}, pause: 5 * time.Second,
		scenario: "quota: {preset: none, per_second: 5, reply: '503'}", images: "stored", requests: "image 200 ×6, image 503, list 200, login 200",
	},
	{
		name: "too many is a code", shows: "quota.reply: 4003", tolerate: []int{4, 7},
		scenario: "quota: {preset: none, per_second: 5, reply: '4003'}", images: "stored", requests: "image 200 ×7, list 200, login 200",
	},
	{
		name: "a full minute is waited out", shows: "quota.per_minute: N; quota.count_denied: true", tolerate: []int{6, 7}, pause: 5 * time.Second,
		scenario: "quota: {preset: none, per_minute: 7, count_denied: true}", images: "stored", requests: "image 200 ×6, image 429 ×4, list 200, login 200",
	},

	// Listings.
	{
		name: "no image", shows: "listing: empty; missing: null; image: absent", tolerate: []int{9},
		scenario: "all: {listing: empty}", images: "absent", requests: "list 200, login 200",
	},
	{
		name: "three images, the others empty", shows: "missing: empty; images.KIND: IMAGE or FAULT", tolerate: []int{9},
		scenario: "all: {missing: empty, images: {face_1: absent, face_2: absent, face_3: absent}}",
		images:   "id_front stored; id_back stored; liveness stored; rest absent", requests: "image 200 ×3, list 200, login 200",
	},
	{
		name: "three images, the others without a key", shows: "missing: absent", tolerate: []int{9},
		scenario: "all: {missing: absent, images: {face_1: absent, face_2: absent, face_3: absent}}",
		images:   "id_front stored; id_back stored; liveness stored; rest absent", requests: "image 200 ×3, list 200, login 200",
	},
	{
		name: "a success without data", shows: "listing: data_null", tolerate: []int{15},
		scenario: "all: {listing: data_null}", images: "list bad_payload 200/0", requests: "list 200 ×2, login 200",
	},
	{
		name: "other names in the listing", shows: "listing: renamed", tolerate: []int{14},
		scenario: "all: {listing: renamed}", images: "list bad_payload 200/0", requests: "list 200 ×2, login 200",
	},
	{
		name: "the transaction in upper case", shows: "references: transaction_pascal", tolerate: []int{1},
		scenario: "all: {references: transaction_pascal}", images: "stored", requests: wholeUser,
	},
	{
		name: "the transaction in another spelling", shows: "references: transaction_snake", tolerate: []int{1},
		scenario: "all: {references: transaction_snake}", images: "stored", requests: wholeUser,
	},
	{
		name: "absolute URLs", shows: "references: absolute_urls", tolerate: []int{1, 2},
		scenario: "all: {references: absolute_urls}", images: "stored", requests: wholeUser,
	},
	{
		name: "relative URLs", shows: "references: relative_urls", tolerate: []int{1, 2},
		scenario: "all: {references: relative_urls}", images: "stored", requests: wholeUser,
	},
	{
		name: "URLs of another host", shows: "references: foreign_urls", tolerate: []int{2},
		scenario: "all: {references: foreign_urls}", images: "stored", requests: wholeUser,
	},
	{
		name: "bare names, the row has the transaction", shows: "references: names", tolerate: []int{1, 2}, row: true, unnamed: true,
		scenario: "all: {references: names}", images: "stored", requests: wholeUser,
	},
	{
		name: "bare names that are not enough", shows: "transaction: required", tolerate: []int{1, 10, 14}, unnamed: true,
		scenario: "all: {references: names}", images: "image vendor_error 400/9004", requests: "image 400 ×6, list 200, login 200",
	},
	{
		name: "bare names that are enough", shows: "transaction: optional", tolerate: []int{1, 10}, unnamed: true,
		scenario: "all: {references: names, transaction: optional}", images: "stored", requests: wholeUser,
	},

	// Images.
	{
		name: "PNG", shows: "image: png", tolerate: []int{12}, extension: "png", mediaType: "image/png",
		scenario: "all: {image: png}", images: "stored", requests: wholeUser,
	},
	{
		name: "JPEG under a PNG's name", shows: "image: jpeg_named_png", tolerate: []int{12}, extension: "png",
		scenario: "all: {image: jpeg_named_png}", images: "stored", requests: wholeUser,
	},
	{
		name: "PNG under a JPEG's name", shows: "image: png_named_jpg", tolerate: []int{12}, mediaType: "image/png",
		scenario: "all: {image: png_named_jpg}", images: "stored", requests: wholeUser,
	},
	{
		name: "almost 5 MiB", shows: "image: large", tolerate: []int{12},
		scenario: "all: {images: {id_front: large}}", images: "stored", requests: wholeUser,
	},
	{
		name: "more than the limit", shows: "image: large", tolerate: []int{12}, config: withSmallImages,
		scenario: "all: {images: {id_front: large}}", images: "id_front image too_large 200/0 final; rest stored", requests: wholeUser,
	},
	{
		name: "an image that breaks off", shows: "image: truncated", tolerate: []int{12},
		scenario: "all: {images: {id_back: truncated}}", images: "id_back incomplete; rest stored", requests: "image 200 ×7, list 200, login 200",
	},
	{
		name: "no image at all", shows: "image: not_image", tolerate: []int{12},
		scenario: "all: {images: {id_back: not_image}}", images: "id_back image not_an_image 200/0 final; rest stored", requests: wholeUser,
	},
	{
		name: "a deleted image", shows: "image: gone", tolerate: []int{14},
		scenario: "all: {images: {id_back: gone}}", images: "id_back image gone 404/9003 final; rest stored", requests: "image 200 ×5, image 404, list 200, login 200",
	},
	{
		name: "a deleted image with status 200", shows: "image: gone; errors: ok", tolerate: []int{4, 14},
		scenario: "all: {errors: ok, images: {id_back: gone}}", images: "id_back image gone 200/9003 final; rest stored", requests: wholeUser,
	},
	{
		name: "an empty image", shows: "image: empty", tolerate: []int{15},
		scenario: "all: {images: {id_back: empty}}", images: "id_back image bad_payload 200/0; rest stored", requests: "image 200 ×7, list 200, login 200",
	},
	{
		name: "an image without data", shows: "image: data_null", tolerate: []int{15},
		scenario: "all: {images: {id_back: data_null}}", images: "id_back image bad_payload 200/0; rest stored", requests: "image 200 ×7, list 200, login 200",
	},
	{
		name: "no base64", shows: "image: invalid_base64", tolerate: []int{12},
		scenario: "all: {images: {id_back: invalid_base64}}", images: "id_back image bad_payload 200/0; rest stored", requests: "image 200 ×7, list 200, login 200",
	},
	{
		name: "a data URI", shows: "encoding: data_uri", tolerate: []int{12},
		scenario: "all: {encoding: data_uri}", images: "stored", requests: wholeUser,
	},
	{
		name: "wrapped base64", shows: "encoding: wrapped", tolerate: []int{12},
		scenario: "all: {encoding: wrapped}", images: "stored", requests: wholeUser,
	},
	{
		name: "base64 in the URL alphabet", shows: "encoding: url_alphabet", tolerate: []int{12},
		scenario: "all: {encoding: url_alphabet}", images: "stored", requests: wholeUser,
	},
	{
		name: "base64 without padding", shows: "encoding: unpadded", tolerate: []int{12},
		scenario: "all: {encoding: unpadded}", images: "stored", requests: wholeUser,
	},
	{
		name: "base64 with escapes", shows: "encoding: escaped", tolerate: []int{12},
		scenario: "all: {encoding: escaped}", images: "stored", requests: wholeUser,
	},

	// Envelopes.
	{
		name: "success is null", shows: "success_code: null", tolerate: []int{3}, users: 2, every: 10 * time.Minute,
		scenario: "{all: {success_code: 'null'}, auth: {token_lifetime: 10m}}", images: "stored", requests: "image 200 ×12, list 200 ×2, login 200, refresh 200",
	},
	{
		name: "success is zero", shows: "success_code: zero", tolerate: []int{3}, users: 2, every: 10 * time.Minute,
		scenario: "{all: {success_code: zero}, auth: {token_lifetime: 10m}}", images: "stored", requests: "image 200 ×12, list 200 ×2, login 200, refresh 200",
	},
	{
		name: "success is silence", shows: "success_code: absent", tolerate: []int{3, 13}, users: 2, every: 10 * time.Minute,
		scenario: "{all: {success_code: absent}, auth: {token_lifetime: 10m}}", images: "stored", requests: "image 200 ×12, list 200 ×2, login 200, refresh 200",
	},
	{
		name: "JSON as plain text", shows: "content_type: text_plain", tolerate: []int{13},
		scenario: "all: {content_type: text_plain}", images: "stored", requests: wholeUser,
	},
	{
		name: "an unknown user", shows: "user: unknown; message: english; descriptions: null", tolerate: []int{4, 14},
		scenario: "all: {user: unknown}", images: "list not_found 404/9001 final", requests: "list 404, login 200",
	},
	{
		name: "an unknown user in Arabic", shows: "message: arabic; descriptions: array", tolerate: []int{14},
		scenario: "all: {user: unknown, message: arabic, descriptions: array}", images: "list not_found 404/9001 final", requests: "list 404, login 200",
	},
	{
		name: "an unknown user with an object of details", shows: "descriptions: object", tolerate: []int{13, 14},
		scenario: "all: {user: unknown, descriptions: object, errors: ok}", images: "list not_found 200/9001 final", requests: "list 200, login 200",
	},
	{
		name: "an unknown user with status 200", shows: "errors: ok", tolerate: []int{4, 14},
		scenario: "all: {user: unknown, errors: ok}", images: "list not_found 200/9001 final", requests: "list 200, login 200",
	},
	{
		name: "an unknown user with status 500", shows: "errors: server_error", tolerate: []int{4, 14},
		scenario: "all: {user: unknown, errors: server_error}", images: "list not_found 500/9001 final", requests: "list 500, login 200",
	},
	{
		name: "an unknown user in the other envelope", shows: "errors: abp", tolerate: []int{13, 14},
		scenario: "all: {user: unknown, errors: abp}", images: "list not_found 500/9001 final", requests: "list 500, login 200",
	},
	{
		name: "404 needs no code", shows: "errors: status", tolerate: []int{4, 14}, config: withoutCodes,
		scenario: "all: {user: unknown}", images: "list not_found 404/9001 final", requests: "list 404, login 200",
	},
	{
		name: "an unknown code is no unknown user", shows: "errors: ok", tolerate: []int{14}, config: withoutCodes,
		scenario: "all: {user: unknown, errors: ok}", images: "list vendor_error 200/9001", requests: "list 200 ×2, login 200",
	},
	{
		name: "an unknown code with status 500", shows: "errors: server_error", tolerate: []int{4, 14}, config: withoutCodes,
		scenario: "all: {user: unknown, errors: server_error}", images: "list vendor_error 500/9001", requests: "list 500 ×4, login 200",
	},
	{
		name: "an unknown code in the other envelope", shows: "errors: abp", tolerate: []int{13, 14}, config: withoutCodes,
		scenario: "all: {user: unknown, errors: abp}", images: "list vendor_error 500/9001", requests: "list 500 ×4, login 200",
	},
	{
		name: "a code that is known to last", shows: "faults.ENDPOINT: error", tolerate: []int{14}, config: withPermanent5000,
		scenario: "all: {faults: {list: error}}", images: "list vendor_error 500/5000 final", requests: "list 500, login 200",
	},

	{
		name: "a code that contradicts its status", shows: "faults.ENDPOINT: error_404", tolerate: []int{4, 14},
		scenario: "all: {faults: {list: error_404}}", images: "list vendor_error 404/5000", requests: "list 404 ×2, login 200",
	},

	// Answers that are not the vendor's.
	{
		name: "a firewall blocks listings", shows: "faults.ENDPOINT: html_403; faults.ENDPOINT: empty_403", tolerate: []int{5, 13}, users: 1,
		scenario: "all: {faults: {list: html_403}}", images: "list vendor_error 403/0", requests: "list 403 ×2, login 200 ×2",
	},
	{
		name: "a firewall blocks one image", shows: "faults.ENDPOINT: empty_403", tolerate: []int{5, 13},
		scenario: "all: {images: {id_back: empty_403}}", images: "id_back image vendor_error 403/0; rest stored", requests: "image 200 ×5, image 403 ×2, list 200, login 200 ×2",
	},
	{
		name: "a firewall blocks the login", shows: "faults.ENDPOINT: html_403", tolerate: []int{5, 13},
		scenario: "all: {faults: {login: html_403}}", images: "login vendor_error 403/0", requests: "login 403 ×2",
	},
	{
		name: "a token is refused without words", shows: "faults.ENDPOINT: empty_401", tolerate: []int{13},
		scenario: "all: {faults: {list: empty_401 once}}", images: "stored", requests: "image 200 ×6, list 200, list 401, login 200, refresh 200",
	},

	// Time, and the whole service.
	{
		name: "slow answers", shows: "latency: DURATION; delay: DURATION; faults.ENDPOINT: slow_headers",
		scenario: "{latency: 5s, delay: 50s, all: {faults: {login: slow_headers, list: slow_headers, image: slow_headers}}}", images: "stored", requests: wholeUser,
	},
	{
		name: "headers that come too late", shows: "faults.ENDPOINT: slow_headers",
		scenario: "{delay: 2m, all: {faults: {list: slow_headers}}}", images: "list timeout 0/0", requests: "list 0 ×4, login 200",
	},
	{
		name: "bodies that drip", shows: "delay: DURATION; faults.ENDPOINT: slow_body",
		scenario: "{delay: 15m, all: {faults: {login: slow_body, list: slow_body, image: slow_body}}}", images: "stored", requests: wholeUser,
	},
	{
		name: "an outage that passes", shows: "outage.from: N; outage.requests: N; outage.fault: FAULT", tolerate: []int{13},
		scenario: "outage: {from: 3, requests: 3, fault: html_502}", images: "stored", requests: "image 200 ×6, image 502 ×3, list 200, login 200",
	},
	{
		name: "an outage that lasts", shows: "outage.from: N", tolerate: []int{13}, users: 2,
		scenario: "outage: {from: 1}", images: "login vendor_error 502/0", requests: "login 502 ×8",
	},
}
