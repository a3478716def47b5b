package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes, written plain or with a unit: 16MiB.
type ByteSize int64

// The binary units.
const (
	KiB ByteSize = 1 << 10
	MiB ByteSize = 1 << 20
	GiB ByteSize = 1 << 30
)

// byteUnits are tried in this order; B comes last because it ends the others.
var byteUnits = []struct {
	suffix string
	size   ByteSize
}{
	{"GiB", GiB},
	{"MiB", MiB},
	{"KiB", KiB},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"B", 1},
}

var errByteSize = errors.New("expected a size in bytes such as 16MiB, 500KB or 1048576")

func parseByteSize(text string) (ByteSize, error) {
	digits, unit := text, ByteSize(1)
	for _, u := range byteUnits {
		if number, found := strings.CutSuffix(text, u.suffix); found {
			digits, unit = number, u.size
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > uint64(math.MaxInt64/unit) {
		return 0, errByteSize
	}
	return ByteSize(n) * unit, nil
}

// String writes the size in the largest binary unit that divides it.
func (b ByteSize) String() string {
	for _, u := range byteUnits[:3] {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
