// Package faults_test breaks what an archive stands on, at every point and at
// random, and then compares all places where the archive stands. It has no
// code of the product.
//
// FAULTS=long makes it thorough, FAULTS_SEED replays a run.
package faults_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"vlens-archiver/internal/testservices"
)

var (
	seed = uint64(time.Now().UnixNano())
	long = os.Getenv("FAULTS") == "long"
)

func TestMain(m *testing.M) {
	if given := os.Getenv("FAULTS_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			panic(fmt.Errorf("FAULTS_SEED: %w", err))
		}
	}
	testservices.Main(m)
}

// random is a source of its own for a test, and says how to replay it.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	t.Logf("FAULTS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// longOr is the first number in the long form of the suite, else the second.
func longOr[T any](inLong, inShort T) T {
	if long {
		return inLong
	}
	return inShort
}
