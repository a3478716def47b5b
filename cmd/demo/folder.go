package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What is in the folder.
const (
	readmeFile   = "README.txt"
	configFile   = "config.yaml"
	usersFile    = "users.csv"
	logFile      = "log.jsonl"
	manifestFile = "manifest.jsonl"
	imagesDir    = "images"
	bucketDir    = "bucket"
	ledgerDir    = "ledger"
)

// marker tells a folder that a demo made, and may empty, from any other.
const marker = ".vlens-archiver-demo"

// errFolder says that the folder cannot be used as it is.
var errFolder = errors.New("the folder cannot be used")

// openFolder makes the folder, or removes from it what an earlier demo left
// there. What the demo did not make stays. The caller closes it.
func openFolder(dir string) (*os.Root, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("locate the folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%w: %w", errFolder, err)
	}
	folder, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFolder, err)
	}
	if err := claim(folder); err != nil {
		_ = folder.Close() // nothing was written
		return nil, err
	}
	return folder, nil
}

func claim(folder *os.Root) error {
	present, err := fs.ReadDir(folder.FS(), ".")
	if err != nil {
		return fmt.Errorf("%w: %w", errFolder, err)
	}
	_, err = folder.Lstat(marker)
	if len(present) > 0 && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s is not empty, and no demo made it; choose another with --dir", errFolder, folder.Name())
	}
	for _, name := range []string{readmeFile, configFile, usersFile, logFile, manifestFile, imagesDir, bucketDir, ledgerDir} {
		if err := folder.RemoveAll(name); err != nil {
			return fmt.Errorf("remove what an earlier demo left: %w", err)
		}
	}
	if err := folder.WriteFile(marker, nil, 0o644); err != nil {
		return fmt.Errorf("%w: %w", errFolder, err)
	}
	return nil
}
