// Package bucket keeps objects in an S3 bucket, at AWS or any service that
// speaks its protocol. Keys are whole keys; who uses the package makes them.
//
// What is written is create-only: Put never replaces an object unless it is told
// which one. A repeated Put of the same bytes is a success, so that a caller who
// does not know whether a write arrived writes again.
//
// The AWS SDK retries each request (timeouts, broken connections, 5xx); callers
// need not. An error that wraps store.ErrUnavailable has been tried Attempts
// times.
package bucket
