package vlens

import (
	"time"

	"github.com/google/uuid"
)

// requestIDHeader names a call towards the vendor's support, as the vendor's own
// SDKs do (vlens-ios-sdk).
const requestIDHeader = "X-Request-Id"

// Provenance names the request behind an answer.
type Provenance struct {
	// RequestID is the X-Request-Id that was sent with the request, a fresh UUID.
	RequestID string
	// VendorDate is the Date of the answer, to the second; zero without one.
	VendorDate time.Time
}

func newRequestID() string { return uuid.NewString() }
