package vlenstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// claims are what a token says. A token carries them itself, signed, so the
// server keeps none.
type claims struct {
	Use     string `json:"use"` // "access" or "refresh"
	Tenant  string `json:"tenant"`
	Account string `json:"account"` // "admin" or "end_user"
	Issued  int    `json:"issued"`  // the number of the request that got it
	Expires int64  `json:"exp"`     // Unix nanoseconds
	Serial  uint64 `json:"jti"`
}

// tokenMint makes and reads tokens shaped like the vendor's JSON Web Tokens
// (RFC 7519, HS256).
type tokenMint struct {
	key [sha256.Size]byte

	mu     sync.Mutex
	serial uint64
	spent  map[uint64]int64 // serials of rotated refresh tokens, with their expiry
}

func newTokenMint(people population) *tokenMint {
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], people.hash("token"))
	return &tokenMint{key: sha256.Sum256(seed[:]), spent: map[uint64]int64{}}
}

var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

func (m *tokenMint) issue(c claims) string {
	m.mu.Lock()
	m.serial++
	c.Serial = m.serial
	m.mu.Unlock()
	payload, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	signed := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + m.sign(signed)
}

func (m *tokenMint) sign(signed string) string {
	mac := hmac.New(sha256.New, m.key[:])
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// read gives the claims of a token that this server made for this use and
// that has not expired.
func (m *tokenMint) read(token, use string, now time.Time) (claims, bool) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || !hmac.Equal([]byte(m.sign(token[:dot])), []byte(token[dot+1:])) {
		return claims{}, false
	}
	_, encoded, _ := strings.Cut(token[:dot], ".")
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return claims{}, false
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return claims{}, false
	}
	return c, c.Use == use && now.UnixNano() < c.Expires
}

// spend uses a refresh token up; false means it was used up before.
func (m *tokenMint) spend(c claims, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, used := m.spent[c.Serial]; used {
		return false
	}
	if len(m.spent) >= mostSpent {
		for serial, expires := range m.spent {
			if expires <= now.UnixNano() {
				delete(m.spent, serial)
			}
		}
	}
	m.spent[c.Serial] = c.Expires
	return true
}

// mostSpent is when expired serials are dropped.
const mostSpent = 4096
