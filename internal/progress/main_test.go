package progress

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes sure that every goroutine is waited for by its owner.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
