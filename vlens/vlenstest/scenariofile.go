package vlenstest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ParseScenario reads a scenario from YAML, or JSON, which is a part of it.
// Unknown keys, unknown words and a second document are errors; all words that
// are wrong are reported together, each with name, line and column. An empty
// file is the zero Scenario.
func ParseScenario(name string, data []byte) (Scenario, error) {
	var scenario Scenario
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := decoder.Decode(&scenario); err != nil && !errors.Is(err, io.EOF) {
		return Scenario{}, scenarioError(name, err)
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Scenario{}, fmt.Errorf("scenario %s: a second YAML document follows; only one is read", name)
	}
	problems := scenario.problems()
	if len(problems) == 0 {
		return scenario, nil
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Scenario{}, scenarioError(name, err)
	}
	var list []error
	for _, p := range problems {
		list = append(list, fmt.Errorf("scenario %s%s: %w", name, p.position(file), p))
	}
	return Scenario{}, errors.Join(list...)
}

// scenarioError puts name and position before a decoding error, without the
// excerpt of the source the decoder would add.
func scenarioError(name string, err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		position := at.GetToken().Position
		return fmt.Errorf("scenario %s:%d:%d: %s", name, position.Line, position.Column, at.GetMessage())
	}
	return fmt.Errorf("scenario %s: %w", name, err)
}

// position is ":line:column" of the key the problem is about.
func (p problem) position(file *ast.File) string {
	builder := (&yaml.PathBuilder{}).Root()
	for _, step := range p.path {
		if index, err := strconv.Atoi(step); err == nil {
			builder = builder.Index(uint(index))
			continue
		}
		builder = builder.Child(step)
	}
	node, err := builder.Build().FilterFile(file)
	if err != nil || node.GetToken() == nil {
		return ""
	}
	at := node.GetToken().Position
	return fmt.Sprintf(":%d:%d", at.Line, at.Column)
}

// YAML is the scenario as ParseScenario reads it.
func (sc Scenario) YAML() ([]byte, error) {
	data, err := yaml.Marshal(sc)
	if err != nil {
		return nil, fmt.Errorf("write scenario: %w", err)
	}
	return data, nil
}

// problem is one value of a scenario that has no meaning.
type problem struct {
	path []string // keys and, in lists, indexes from the root
	text string
}

func (p problem) Error() string { return strings.Join(p.path, ".") + ": " + p.text }
