package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// longestID bounds a line of a list of users, in bytes.
	longestID = 1 << 10
	// maxIDs bounds the list: it is held in memory.
	maxIDs = 5_000_000
)

// readIDs reads user ids, one a line, from a file or, for "-", from stdin.
// Blank lines and space around an id do not count. Its errors name lines, not
// their content.
func (p *program) readIDs(name string) ([]string, error) {
	in := p.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--users-file: %w", err)
		}
		defer file.Close()
		in = file
	}
	ids, err := parseIDs(in)
	if err != nil {
		return nil, fmt.Errorf("--users-file: %w", err)
	}
	if len(ids) == 0 {
		return nil, errors.New("--users-file: it has no user id")
	}
	return ids, nil
}

func parseIDs(in io.Reader) ([]string, error) {
	var ids []string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestID)
	number := 0
	for lines.Scan() {
		number++
		line := lines.Text()
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if id := strings.TrimSpace(line); id != "" {
			ids = append(ids, id)
		}
		if len(ids) > maxIDs {
			return nil, fmt.Errorf("more than %d ids: split the list", maxIDs)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d is longer than %d bytes: expected one user id a line", number+1, longestID)
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("read line %d: %w", number+1, lines.Err())
	}
	return ids, nil
}
