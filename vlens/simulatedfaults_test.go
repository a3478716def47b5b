package vlens_test

import (
	"fmt"
	"strings"
	"time"
)

// throttlesInRow is how many throttle replies in a row one request endures.
const throttlesInRow = 5

// faultReplies are the faults as the client meets them.
var faultReplies = []struct {
	word   string
	status int    // as the simulator counts it
	fault  string // what is left when it never ends, after so many tries
	tries  int
}{
	{"stall", 200, "timeout 200/0", 4},
	{"reset", 200, "network 200/0", 4},
	{"long_length", 200, "network 200/0", 4},
	{"short_length", 200, "bad_payload 200/0", 4},
	{"error", 500, "vendor_error 500/5000", 4},
	{"html_502", 502, "vendor_error 502/0", 4},
	{"empty_503", 503, "throttled 503/0", throttlesInRow},
	{"empty_200", 200, "bad_payload 200/0", 4},
	{"html_404", 404, "vendor_error 404/0", 2},
	{"json_404", 404, "vendor_error 404/0", 2},
	{"empty_404", 404, "vendor_error 404/0", 2},
	{"empty_407", 407, "vendor_error 407/0", 2},
	{"html_401", 401, "vendor_error 401/0", 2},
	{"html_200", 200, "bad_payload 200/0", 2},
	{"redirect", 302, "vendor_error 302/0", 2},
	{"throttled", 429, "throttled 429/4003", throttlesInRow},
}

// faultCases let each fault happen at each endpoint, for ever and once.
func faultCases() []simulated {
	var cases []simulated
	for _, f := range faultReplies {
		times := func(endpoint string, faults, successes int) string {
			if f.status == 200 {
				return fmt.Sprintf("%s 200 ×%d", endpoint, faults+successes)
			}
			text := fmt.Sprintf("%s 200 ×%d, %s %d ×%d,", endpoint, successes, endpoint, f.status, faults)
			return strings.TrimSuffix(strings.ReplaceAll(text, " ×1,", ","), ",")
		}
		add := func(name, rules, images string, requests ...string) {
			c := simulated{
				name: f.word + " " + name, shows: "faults.ENDPOINT: " + f.word + "; faults.ENDPOINT: FAULT once", tolerate: []int{4, 7, 13},
				scenario: "all: {" + rules + "}", images: images, requests: strings.Join(requests, ", "),
			}
			if strings.HasPrefix(f.fault, "throttled") {
				c.pause = 5 * time.Second
			}
			cases = append(cases, c)
		}
		add("for ever on the listing", "faults: {list: "+f.word+"}", "list "+f.fault, fmt.Sprintf("list %d ×%d", f.status, f.tries), "login 200")
		add("for ever on one image", "images: {id_back: "+f.word+"}", "id_back image "+f.fault+"; rest stored", times("image", f.tries, 5), "list 200", "login 200")
		add("once on every image", "faults: {image: "+f.word+" once}", "stored", times("image", 6, 6), "list 200", "login 200")
		add("once on the listing", "faults: {list: "+f.word+" once}", "stored", "image 200 ×6", times("list", 1, 1), "login 200")
		add("once at login", "faults: {login: "+f.word+" once}", "stored", "image 200 ×6", "list 200", times("login", 1, 1))
	}
	return cases
}
