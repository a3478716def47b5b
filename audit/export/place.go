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

// ErrPlace says that an export cannot be written where it should go.
var ErrPlace = errors.New("cannot write there")

// Place is where an export goes. Files are for their owner only.
type Place interface {
	// open makes sure that nothing is there that would be overwritten, and takes
	// the place under another name.
	open() (sink, error)
}

// Folder is a place for an unpacked bag: a folder that is new or empty.
type Folder string

// ZipFile is a place for a zipped bag: a file that does not exist.
type ZipFile string

// partialName begins the name of what is being written.
const partialName = ".partial-"

func (f Folder) open() (sink, error) {
	dir := filepath.Clean(string(f))
	there, err := os.ReadDir(dir)
	switch {
	case err == nil && len(there) > 0:
		return nil, fmt.Errorf("%w: %q is not empty; name a new folder", ErrPlace, dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", ErrPlace, err)
	}
	s := &folderSink{dir: dir, isNew: err != nil}
	if s.isNew {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPlace, err)
		}
	}
	if s.partial, err = os.MkdirTemp(dir, partialName); err != nil {
		s.abort()
		return nil, fmt.Errorf("%w: %w", ErrPlace, err)
	}
	return s, nil
}

// folderSink writes into a folder inside the folder, so that what is not whole
// stands under no name of a bag and on the same file system.
type folderSink struct {
	dir     string
	isNew   bool
	partial string
	moved   []string
}

func (s *folderSink) put(path string, body io.Reader) error {
	name := filepath.Join(s.partial, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, body); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func (s *folderSink) commit() error {
	entries, err := os.ReadDir(s.partial)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := filepath.Join(s.dir, entry.Name())
		if err := os.Rename(filepath.Join(s.partial, entry.Name()), name); err != nil {
			return err
		}
		s.moved = append(s.moved, name)
	}
	return os.Remove(s.partial)
}

func (s *folderSink) abort() {
	for _, name := range append(s.moved, s.partial) {
		_ = os.RemoveAll(name) // what cannot be removed is named by the export that failed
	}
	if s.isNew {
		_ = os.Remove(s.dir)
	}
}

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

// noTime is the earliest that a zip can say: when things happened stands in the
// records, and the same files give the same zip.
var noTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// put stores images as they are: they are compressed already. The rest is text.
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
	// Another file may have come to stand there meanwhile. A link does not
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
