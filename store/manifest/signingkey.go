package manifest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"vlens-archiver/store"
)

// ErrSigningKey says that a text is no signing key. Errors that wrap it do not
// hold the text.
var ErrSigningKey = errors.New("not a signing key")

// SigningKey signs checkpoints of one log. The zero value is no key.
type SigningKey struct {
	signer      note.Signer
	verifier    note.Verifier
	verifierKey string
}

// GenerateSigningKey draws a new Ed25519 key for the log of this origin, in the
// text form that ParseSigningKey reads. An origin that cannot name a key is
// ErrSigningKey.
func GenerateSigningKey(origin string) (store.Sensitive, error) {
	text, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", fmt.Errorf("generate signing key: %w", err)
	}
	key := store.Sensitive(text)
	if _, err := ParseSigningKey(key); err != nil {
		return "", fmt.Errorf("generate signing key for origin %q: %w", origin, err)
	}
	return key, nil
}

// ParseSigningKey reads a signing key in the form
// PRIVATE+KEY+<origin>+<key id>+<base64> (golang.org/x/mod/sumdb/note).
func ParseSigningKey(text store.Sensitive) (SigningKey, error) {
	signer, err := note.NewSigner(text.Reveal())
	if err != nil {
		return SigningKey{}, ErrSigningKey
	}
	// What NewSigner has accepted has five parts. The last, which may hold more
	// plus signs, is <algorithm: 1 byte><Ed25519 seed>.
	parts := strings.SplitN(text.Reveal(), "+", 5)
	key, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return SigningKey{}, ErrSigningKey
	}
	public := ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey)
	verifierKey, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return SigningKey{}, ErrSigningKey
	}
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return SigningKey{}, ErrSigningKey
	}
	return SigningKey{signer: signer, verifier: verifier, verifierKey: verifierKey}, nil
}

// Origin is the name of the log that the key signs for.
func (k SigningKey) Origin() string { return k.signer.Name() }

// Signer signs with the key.
func (k SigningKey) Signer() note.Signer { return k.signer }

// VerifierKey is the public half in the form <origin>+<key id>+<base64>. It is
// no secret: whoever has it can check the log.
func (k SigningKey) VerifierKey() string { return k.verifierKey }

// Verifier checks what the key has signed.
func (k SigningKey) Verifier() note.Verifier { return k.verifier }

// IsZero reports that there is no key.
func (k SigningKey) IsZero() bool { return k.signer == nil }
