package export

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"vlens-archiver/store"
)

// ZipFile is a place for a zipped bag: a file that does not exist.
type ZipFile string

func (z ZipFile) open() (sink, error) {
	name := filepath.Clean(string(z))
	if _, err := os.Lstat(name); err == nil {
		return nil, fmt.Errorf("%w: %q exists; name a new file", ErrPlace, name)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrPlace, err)
	}
	file, err := os.CreateTemp(filepath.Dir(name), partialName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlace, err)
	}
	return &zipSink{name: name, base: bagName(name), file: file, zip: zip.NewWriter(file)}, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// bagName is the one folder at the top of the zip: the file's name without its
// extension (RFC 8493, section 4), where it is one that every system can have.
func bagName(file string) string {
	name := filepath.Base(file)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	if !plainName.MatchString(name) {
		return "bag"
	}
	return name
}

type zipSink struct {
	name string
	base string
	file *os.File
	zip  *zip.Writer
}

// noTime is the earliest that a zip can say: when things happened is in the
// records, and the same files give the same zip.
var noTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// put stores images as they are: nearly all are compressed already. The rest is text.
func (s *zipSink) put(path string, body io.Reader) error {
	header := &zip.FileHeader{Name: s.base + "/" + path, Method: zip.Deflate, Modified: noTime}
	header.SetMode(0o600)
	if slices.Contains(store.Extensions(), strings.TrimPrefix(filepath.Ext(path), ".")) {
		header.Method = zip.Store
	}
	to, err := s.zip.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, body)
	return err
}

func (s *zipSink) commit() error {
	if err := s.zip.Close(); err != nil {
		return err
	}
	if err := s.file.Close(); err != nil {
		return err
	}
	// Another file may be there by now. A link does not
	// replace it; where links are not known, the name is taken all the same.
	if err := os.Link(s.file.Name(), s.name); err == nil {
		return os.Remove(s.file.Name())
	} else if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %q exists; name a new file", ErrPlace, s.name)
	}
	return os.Rename(s.file.Name(), s.name)
}

func (s *zipSink) abort() {
	s.file.Close()
	_ = os.Remove(s.file.Name())
}
