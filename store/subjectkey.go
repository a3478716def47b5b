package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// MinSubjectKeyBytes is the smallest accepted length of a subject key.
const MinSubjectKeyBytes = 32

// ErrShortSubjectKey says that a subject key does not decode to enough bytes.
var ErrShortSubjectKey = errors.New("subject key is too short")

// SubjectKey makes pseudonyms. It cannot be rotated: losing it loses the link
// between users and subjects. A plain hash would not do, because the few
// hundred million possible phone numbers and ids can be listed.
type SubjectKey struct{ key []byte }

// ParseSubjectKey reads a key from base64, standard or URL alphabet, padded or
// not. The key must have at least MinSubjectKeyBytes bytes.
func ParseSubjectKey(encoded Sensitive) (SubjectKey, error) {
	text := strings.TrimRight(strings.TrimSpace(encoded.Reveal()), "=")
	alphabet := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		alphabet = base64.RawURLEncoding
	}
	key, err := alphabet.DecodeString(text)
	if err != nil {
		return SubjectKey{}, errors.New("subject key is not base64")
	}
	if len(key) < MinSubjectKeyBytes {
		return SubjectKey{}, fmt.Errorf("%w: %d bytes, at least %d are needed", ErrShortSubjectKey, len(key), MinSubjectKeyBytes)
	}
	return SubjectKey{key: key}, nil
}

// Subject is the pseudonym of the user with this id.
func (k SubjectKey) Subject(userID string) Subject {
	sum := k.mac(userID)
	return Subject(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26]))
}

// Ref is the pseudonym of a vendor file name.
func (k SubjectKey) Ref(fileName string) Ref {
	sum := k.mac(fileName)
	return Ref(hex.EncodeToString(sum[:16]))
}

// UnnamedTransaction stands for the transaction of a subject for whom the
// vendor gives no transaction id: "t-" and 16 hex digits that depend on the
// subject and the file name of the first kind that is present.
func (k SubjectKey) UnnamedTransaction(subject Subject, firstFileName string) string {
	sum := k.mac(string(subject) + firstFileName)
	return UnnamedPrefix + hex.EncodeToString(sum[:8])
}

// Check is a value that changes when the key does. The archive keeps it so that
// a wrong key is noticed before anything is filed under wrong pseudonyms.
func (k SubjectKey) Check() string {
	sum := k.mac("vlens-archive/key-check/v1")
	return hex.EncodeToString(sum[:])
}

// String hides the key.
func (k SubjectKey) String() string { return redacted }

// GoString hides the key.
func (k SubjectKey) GoString() string { return redacted }

func (k SubjectKey) mac(message string) [sha256.Size]byte {
	h := hmac.New(sha256.New, k.key)
	h.Write([]byte(message))
	return [sha256.Size]byte(h.Sum(nil))
}
