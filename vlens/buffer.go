package vlens

import (
	"context"
	"math/bits"
	"sync"
)

// Buffers come in size classes, four to each power of two, so that a buffer is
// at most a quarter larger than asked for and a pool never hands a large one to
// a small image. All clients share the pools.
const (
	smallestBuffer = 64 << 10
	classesPerSize = 4
)

var bufferPools [(63 - 16) * classesPerSize]sync.Pool

// buffer is a block of memory with one owner, who recycles it once.
type buffer struct{ bytes []byte }

// newBuffer returns a buffer of at least n bytes, their content undefined.
func newBuffer(n int) *buffer {
	size, class := sizeClass(n)
	if b, ok := bufferPools[class].Get().(*buffer); ok {
		return b
	}
	return &buffer{bytes: make([]byte, size)}
}

func (b *buffer) recycle() {
	if b == nil {
		return
	}
	_, class := sizeClass(len(b.bytes))
	bufferPools[class].Put(b)
}

func sizeClass(n int) (size, class int) {
	if n <= smallestBuffer {
		return smallestBuffer, 0
	}
	// With n-1 between 2^k and 2^(k+1), the classes are 5/4, 6/4, 7/4 and 8/4 of 2^k.
	k := bits.Len(uint(n-1)) - 1
	step := 1 << (k - 2)
	steps := (n - 1 - 1<<k) / step
	return 1<<k + (steps+1)*step, (k-16)*classesPerSize + steps + 1
}

// hold is what one answer has taken from the memory budget.
type hold struct {
	memory Memory // nil: nothing is counted
	bytes  int64
}

func acquire(ctx context.Context, memory Memory, bytes int64) (hold, error) {
	if memory == nil {
		return hold{}, nil
	}
	if err := memory.Acquire(ctx, bytes); err != nil {
		return hold{}, err
	}
	return hold{memory: memory, bytes: bytes}, nil
}

// shrinkTo gives back all but the given number of bytes.
func (h *hold) shrinkTo(bytes int64) {
	if h.memory != nil && bytes < h.bytes {
		h.memory.Release(h.bytes - bytes)
		h.bytes = bytes
	}
}
