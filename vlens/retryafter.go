package vlens

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a throttle reply may ask for: a wrong value must
// not stop a run for a day.
const maxRetryAfter = 15 * time.Minute

// retryAfter reads the Retry-After header, seconds or an HTTP date (RFC 9110,
// section 10.2.3); 0 when there is none that can be used. A date is compared
// with the server's own Date, so that neither clock has to be right.
func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	seconds, err := strconv.ParseUint(text, 10, 63)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}
