package export

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder is a place for an unpacked bag: a folder that is new or empty.
type Folder string

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
// has no name of a bag and is on the same file system.
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
