package vlenstest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// hash mixes the seed, a purpose and numbers into 64 bits.
func (p population) hash(purpose string, numbers ...uint64) uint64 {
	h := fnv.New64a()
	var word [8]byte
	for _, n := range append(numbers, p.seed) {
		binary.LittleEndian.PutUint64(word[:], n)
		_, _ = h.Write(word[:])
	}
	_, _ = h.Write([]byte(purpose))
	// FNV leaves the high bits poor for short input; this is the finaliser of
	// MurmurHash3.
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// Mobile numbers: four operators' prefixes with eight digits each. A person's
// number is index*phoneStep plus an offset from the seed, modulo the size of
// that space; the step has no factor in common with it, so no two people share
// a number and the number leads back to the index.
const (
	phoneSpace = 4 * subscribers
	// subscribers is how many numbers one operator prefix has.
	subscribers  = 100_000_000
	phoneStep    = 153_276_631
	phoneInverse = 129_943_271 // phoneStep * phoneInverse = 1 modulo phoneSpace
)

var operators = [...]string{"+2010", "+2011", "+2012", "+2015"}

func (p population) phone(index int) string {
	n := (uint64(index)*phoneStep + p.phoneOffset()) % phoneSpace
	return fmt.Sprintf("%s%08d", operators[n/subscribers], n%subscribers)
}

// indexOfPhone is the index of the person with exactly this E.164 number, 0
// for none.
func (p population) indexOfPhone(phone string) int {
	for operator, prefix := range operators {
		digits, found := strings.CutPrefix(phone, prefix)
		if !found || len(digits) != 8 {
			continue
		}
		subscriber, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return 0
		}
		n := uint64(operator)*subscribers + subscriber
		index := (n + phoneSpace - p.phoneOffset()) % phoneSpace * phoneInverse % phoneSpace
		if index < 1 || index > uint64(p.size) {
			return 0
		}
		return int(index)
	}
	return 0
}

func (p population) phoneOffset() uint64 { return p.hash("phone") % phoneSpace }

// transactionID is a version 4 UUID (RFC 9562) in lower case. Its first six
// bytes carry index and verification behind a mask made from the rest, which
// is a hash of both: unguessable to a reader, readable for us.
func (p population) transactionID(index, verification int) string {
	check := p.hash("transaction", uint64(index), uint64(verification)) &^ (3 << 62)
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], check|2<<62)
	mask := p.hash("mask", check)
	binary.BigEndian.PutUint32(id[0:], uint32(index)^uint32(mask))
	binary.BigEndian.PutUint16(id[4:], uint16(verification)^uint16(mask>>32))
	binary.BigEndian.PutUint16(id[6:], uint16(mask>>48)&0x0fff|4<<12)
	return id.String()
}

// indexOfTransaction reads a transaction id of this tenant, in any case.
func (p population) indexOfTransaction(id string) (index, verification int, ok bool) {
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != len("00000000-0000-0000-0000-000000000000") {
		return 0, 0, false
	}
	check := binary.BigEndian.Uint64(parsed[8:]) &^ (3 << 62)
	mask := p.hash("mask", check)
	index = int(binary.BigEndian.Uint32(parsed[0:]) ^ uint32(mask))
	verification = int(binary.BigEndian.Uint16(parsed[4:]) ^ uint16(mask>>32))
	if index < 1 || index > p.size || verification < 1 ||
		p.transactionID(index, verification) != parsed.String() {
		return 0, 0, false
	}
	return index, verification, true
}
