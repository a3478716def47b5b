package accept_test

import (
	"testing"

	"vlens-archiver/internal/testservices"
)

func TestMain(m *testing.M) { testservices.Main(m) }
