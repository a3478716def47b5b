package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// maxLockDays is the longest retention S3 takes, 100 years (Amazon S3 API
// Reference, "DefaultRetention").
const maxLockDays = 36500

func (c checker) archive(a *Archive) {
	c.required("archive.bucket", a.Bucket)
	c.expect(!strings.ContainsFunc(a.Bucket, notInName) && !strings.Contains(a.Bucket, "/"), "archive.bucket", "expected the bucket's name, without s3:// or a path")
	c.expect(isPrefix(a.Prefix), "archive.prefix", `expected a path such as kyc/vlens, without a slash at its ends, empty, "." or ".." parts, spaces or backslashes`)
	c.expect(a.Region != "" && !strings.ContainsFunc(a.Region, notInName), "archive.region", "expected a region such as me-central-1")
	c.optionalURL("archive.endpoint", a.Endpoint)
	c.subjectKey(a.SubjectKey)

	c.oneOf("archive.encryption.mode", a.Encryption.Mode, EncryptionNone, EncryptionSSES3, EncryptionSSEKMS)
	c.expect(a.Encryption.KMSKeyID == "" || a.Encryption.Mode == EncryptionSSEKMS, "archive.encryption.kms_key_id", "is for the mode sse-kms only")

	c.oneOf("archive.object_lock.mode", a.ObjectLock.Mode, LockNone, LockGovernance, LockCompliance)
	if a.ObjectLock.Mode == LockNone {
		// A retention that has no effect would be taken for one that has.
		c.expect(a.ObjectLock.Days == 0, "archive.object_lock.days", "has no effect with the mode none; expected 0")
	} else {
		c.between("archive.object_lock.days", a.ObjectLock.Days, 1, maxLockDays)
	}
}

func (c checker) subjectKey(key store.Sensitive) {
	const name = "archive.subject_key"
	c.required(name, key.Reveal())
	_, err := store.ParseSubjectKey(key)
	if errors.Is(err, store.ErrShortSubjectKey) {
		c.found.add(name, "expected at least 32 bytes in base64, as `openssl rand -base64 32` makes them; it has fewer")
	} else if err != nil {
		c.found.add(name, "expected base64, as `openssl rand -base64 32` makes it")
	}
}

func (c checker) evidence(e *Evidence, tenancyName string) {
	c.optionalURL("evidence.timestamp_url", e.TimestampURL)
	if e.Origin == "" && !c.found.has("evidence.origin") {
		e.Origin = "vlens-archive/" + tenancyName
	}
	valid := ValidOrigin(e.Origin)
	c.expect(valid, "evidence.origin", "expected a name such as acme.example/vlens-archive, without spaces, plus signs or scheme; when not set it is made of vlens.tenancy_name")
	if valid {
		c.signingKey(e.SigningKey, e.Origin)
	}
}

// ValidOrigin reports whether the name may be evidence.origin. C2SP signed-note:
// a key name has neither Unicode spaces nor plus signs. C2SP tlog-checkpoint: an
// origin is a URL without its scheme.
func ValidOrigin(name string) bool {
	return name != "" && !strings.ContainsFunc(name, notInName) && !strings.Contains(name, "+") && !strings.Contains(name, "://")
}

func (c checker) signingKey(text store.Sensitive, origin string) {
	const name = "evidence.signing_key"
	if text == "" {
		return
	}
	key, err := manifest.ParseSigningKey(text)
	switch {
	case err != nil:
		c.found.add(name, "expected a key as `vlens-archiver keygen` makes it: PRIVATE+KEY+ and so on, on one line")
	case key.Origin() != origin:
		c.found.add(name, fmt.Sprintf("signs for %q, and evidence.origin is %q: use the key of this log, or make one with `vlens-archiver keygen`", key.Origin(), origin))
	}
}

func isPrefix(prefix string) bool {
	if prefix == "" {
		return true
	}
	for part := range strings.SplitSeq(prefix, "/") {
		if slices.Contains([]string{"", ".", ".."}, part) {
			return false
		}
	}
	return !strings.ContainsFunc(prefix, notInName) && !strings.Contains(prefix, `\`)
}

// notInName matches the characters that no name of ours may contain.
func notInName(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
