package rebuild_test

import (
	"testing"

	"vlens-archiver/internal/archivetest"
)

func TestMain(m *testing.M) { archivetest.Main(m) }
