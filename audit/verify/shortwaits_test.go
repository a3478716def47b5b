package verify

import "time"

// Rows are there at once in tests, or never.
func init() { rowAfter = 20 * time.Millisecond }
