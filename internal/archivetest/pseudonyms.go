package archivetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Subjects and refs are computed here by hand, so that a test does not believe
// the code it tests.
func pseudonym(message string) []byte {
	key, _ := base64.StdEncoding.DecodeString(SubjectKey)
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// SubjectOf is the subject of a user id.
func SubjectOf(userID string) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(pseudonym(userID)))[:26]
}

// RefOf is the ref of a file name of the vendor's.
func RefOf(fileName string) string { return hex.EncodeToString(pseudonym(fileName))[:32] }

// HashOf is the SHA-256 of bytes, in hex.
func HashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
