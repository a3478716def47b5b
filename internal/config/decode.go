package config

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"vlens-archiver/store"
)

// decoder fills a Config from a YAML tree. It does what a general decoder does
// not: it goes on after a problem, remembers where each key stands, and expands
// references after the YAML is understood, so that no value can become syntax.
type decoder struct {
	env   func(string) (string, bool)
	found *findings
}

// keyName is the shape of a key that is shown although it is unknown; anything
// else may be a secret on the wrong line.
var keyName = regexp.MustCompile(`^[a-z0-9_.-]{1,40}$`)

// section decodes a mapping into a struct, by the names in its yaml tags.
func (d *decoder) section(path string, node ast.Node, into reflect.Value) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		// A section whose keys are all commented out is an empty one.
		if node.Type() != ast.NullType {
			d.found.addAt(placeOf(node), path, "expected a section with the keys "+strings.Join(keysOf(into.Type()), ", "))
		}
		return
	}
	var seen []string
	for _, entry := range mapping.Values {
		at := placeOf(entry.Key)
		name := ""
		if scalar, ok := entry.Key.(ast.ScalarNode); ok {
			name = scalar.GetToken().Value
		}
		field := slices.Index(keysOf(into.Type()), name)
		key := join(path, name)
		switch {
		case field < 0 && keyName.MatchString(name):
			d.found.addAt(at, key, "unknown key; expected one of "+strings.Join(keysOf(into.Type()), ", "))
		case field < 0:
			d.found.addAt(at, path, "unknown key; expected one of "+strings.Join(keysOf(into.Type()), ", "))
		case slices.Contains(seen, name):
			d.found.addAt(at, key, "duplicate key")
		default:
			seen = append(seen, name)
			d.found.places[key] = at
			d.value(key, entry.Value, into.Field(field))
		}
	}
}

// value decodes what stands after a key.
func (d *decoder) value(key string, node ast.Node, into reflect.Value) {
	switch into.Kind() {
	case reflect.Struct:
		d.section(key, node, into)
	case reflect.Slice:
		d.list(key, node, into)
	default:
		d.scalar(key, node, into)
	}
}

// list decodes a sequence of scalars. It replaces the default.
func (d *decoder) list(key string, node ast.Node, into reflect.Value) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.found.addAt(placeOf(node), key, "expected a list such as [a, b]")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values)))
	for i, element := range sequence.Values {
		d.scalar(key, element, into.Index(i))
	}
}

// scalar decodes one value, after expanding a reference.
func (d *decoder) scalar(key string, node ast.Node, into reflect.Value) {
	at := placeOf(node)
	d.found.places[key] = at
	text, err := scalarText(node)
	if err != nil {
		d.found.add(key, err.Error())
		return
	}
	expanded, isReference, err := expand(text, d.env)
	if err != nil {
		d.found.add(key, err.Error())
		return
	}
	if isReference {
		at.reference = text
		d.found.places[key] = at
	}
	if err := set(into, expanded); err != nil {
		d.found.add(key, err.Error())
	}
}

// set parses a text as the type of the field.
func set(into reflect.Value, text string) error {
	var err error
	switch field := into.Addr().Interface().(type) {
	case *string:
		*field = text
	case *store.Sensitive:
		*field = store.Sensitive(text)
	case *bool:
		if text != "true" && text != "false" {
			return errors.New("expected true or false")
		}
		*field = text == "true"
	case *int:
		if *field, err = strconv.Atoi(text); err != nil {
			return errors.New("expected a whole number")
		}
	case *time.Duration:
		if *field, err = time.ParseDuration(text); err != nil {
			return errors.New("expected a duration such as 250ms, 60s or 2160h")
		}
	case *ByteSize:
		*field, err = parseByteSize(text)
		return err
	default:
		panic("config: no decoding for " + into.Type().String())
	}
	return nil
}

// scalarText is a scalar as it is written: 0123 stays 0123, so a number may
// stand for a text.
func scalarText(node ast.Node) (string, error) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, nil
	case *ast.LiteralNode:
		return node.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, nil
	case *ast.NullNode:
		return "", errors.New(`has no value; write "" for an empty text, or remove the key to have its default`)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "", errors.New("anchors, aliases and tags are not used here; a text that starts with & * or ! needs quotes")
	default:
		return "", errors.New("expected a single value")
	}
}

// keysOf gives the YAML names of a section's fields, in their order.
func keysOf(section reflect.Type) []string {
	keys := make([]string, section.NumField())
	for i := range keys {
		keys[i] = section.Field(i).Tag.Get("yaml")
	}
	return keys
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func placeOf(node ast.Node) place {
	if mapping, ok := node.(*ast.MappingNode); ok && len(mapping.Values) > 0 && !mapping.IsFlowStyle {
		node = mapping.Values[0].Key // the mapping's own token is its first colon
	}
	position := node.GetToken().Position
	return place{line: position.Line, column: position.Column}
}
