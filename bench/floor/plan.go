package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// step is one line of the plan.
type step struct {
	path string // with its query
	key  string // empty: the body is only received
}

func readPlan(name string) ([]step, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	defer file.Close()
	var steps []step
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		path, key, _ := strings.Cut(lines.Text(), "\t")
		steps = append(steps, step{path: path, key: key})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return steps, nil
}
