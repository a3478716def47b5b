package manifest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrCheckpoint says that a checkpoint is not one of the log that it should be:
// malformed, of another origin, or not signed by the log's key.
var ErrCheckpoint = errors.New("not a checkpoint of this log")

// Checkpoint is the state of the log at one moment: how many entries it has,
// and the root hash of the tree over them (RFC 6962, section 2.1).
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Sign gives the exact bytes of the signed checkpoint: origin, size and base64
// of the root on a line each (c2sp.org/tlog-checkpoint), as a signed note
// (c2sp.org/signed-note). The same state and key always give the same bytes.
func (c Checkpoint) Sign(signer note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
	body, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return body, nil
}

// OpenCheckpoint reads a checkpoint that the verifier's key has signed. The
// origin is the verifier's name. Any other is ErrCheckpoint.
func OpenCheckpoint(body []byte, verifier note.Verifier) (Checkpoint, error) {
	opened, err := note.Open(body, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c, err := parseCheckpoint(opened.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if c.Origin != verifier.Name() {
		return Checkpoint{}, fmt.Errorf("%w: its origin is %q, not %q", ErrCheckpoint, c.Origin, verifier.Name())
	}
	return c, nil
}

// ReadCheckpoint reads a checkpoint whoever signed it, for those who do not have
// the verifier's key.
func ReadCheckpoint(body []byte) (Checkpoint, error) {
	text, _, isNote := bytes.Cut(body, []byte("\n\n"))
	if !isNote {
		return Checkpoint{}, fmt.Errorf("%w: it is no signed note", ErrCheckpoint)
	}
	c, err := parseCheckpoint(string(text) + "\n")
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return c, nil
}

// ReadUnverified is ReadCheckpoint for a checkpoint that must at least have been
// signed: what lost its signatures is none.
func ReadUnverified(body []byte) (Checkpoint, error) {
	var unverified *note.UnverifiedNoteError
	if _, err := note.Open(body, note.VerifierList()); !errors.As(err, &unverified) {
		return Checkpoint{}, fmt.Errorf("%w: it has no signature", ErrCheckpoint)
	}
	return ReadCheckpoint(body)
}

// parseCheckpoint reads the signed text. It accepts exactly what Sign writes.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return Checkpoint{}, errors.New("it does not have three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errors.New("its second line is no size")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, errors.New("its third line is no root hash")
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root)}, nil
}
