// Package figures keeps what the benchmarks measured, and makes the page that
// shows it.
package figures

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads all records of a file; one that does not exist has none.
func Load[T any](name string) ([]T, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read measurements: %w", err)
	}
	defer file.Close()
	var records []T
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var record T
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return nil, fmt.Errorf("read measurements: %s, line %d: %w", name, len(records)+1, err)
		}
		records = append(records, record)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read measurements: %w", err)
	}
	return records, nil
}

// Append adds a record to a file, so that a measurement that is broken off goes
// on where it stopped.
func Append[T any](name string, record T) error {
	line, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("keep a measurement: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("keep a measurement: %w", err)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("keep a measurement: %w", err)
	}
	_, err = file.Write(append(line, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keep a measurement: %w", err)
	}
	return nil
}

// Replace makes the records the only ones of a file.
func Replace[T any](name string, records []T) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop measurements: %w", err)
	}
	for _, record := range records {
		if err := Append(name, record); err != nil {
			return err
		}
	}
	return nil
}
