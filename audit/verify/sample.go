package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// portion chooses a part of all names by a seed: the same part whenever it is
// asked, whatever else there is.
type portion struct {
	seed    string
	percent float64 // 0 to 100
}

// has reports whether the name belongs to the portion.
func (p portion) has(name string) bool {
	if p.percent >= 100 {
		return true
	}
	sum := sha256.Sum256([]byte(p.seed + "/" + name))
	return float64(binary.BigEndian.Uint64(sum[:])) < p.percent/100*math.MaxUint64
}
