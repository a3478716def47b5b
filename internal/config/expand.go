package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxValueBytes bounds a file that stands for a value.
const maxValueBytes = 64 << 10

var reference = regexp.MustCompile(`^\$\{(?:file:([^}\n]*)|([A-Za-z_][A-Za-z0-9_]*))\}$`)

// expand replaces a value that is wholly a reference, and returns every other
// value as it is, so that a password with a dollar stays itself.
func expand(value string, env func(string) (string, bool)) (expanded string, isReference bool, err error) {
	match := reference.FindStringSubmatch(value)
	if match == nil {
		return value, false, nil
	}
	if name := match[2]; name != "" {
		expanded, found := env(name)
		if !found {
			return "", true, fmt.Errorf("environment variable %s is not set", name)
		}
		if !utf8.ValidString(expanded) {
			return "", true, fmt.Errorf("environment variable %s is not UTF-8 text", name)
		}
		return expanded, true, nil
	}
	expanded, err = readValue(match[1])
	return expanded, true, err
}

// readValue reads a file without the newline that editors put at its end.
func readValue(name string) (string, error) {
	if !path.IsAbs(name) {
		return "", errors.New("expected an absolute path, as in ${file:/run/secrets/name}")
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("find the value's file: %w", err)
	}
	// Opening a pipe would wait for its writer, and a device may never end.
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%q is not a regular file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("open the value's file: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxValueBytes+1))
	if err != nil {
		return "", fmt.Errorf("read the value's file: %w", err)
	}
	if len(content) > maxValueBytes {
		return "", fmt.Errorf("%q has more than %d bytes", name, maxValueBytes)
	}
	if !utf8.Valid(content) {
		return "", fmt.Errorf("%q is not UTF-8 text", name)
	}
	if text, found := strings.CutSuffix(string(content), "\r\n"); found {
		return text, nil
	}
	return strings.TrimSuffix(string(content), "\n"), nil
}
