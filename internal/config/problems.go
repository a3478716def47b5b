package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrInvalid is wrapped by every error of this package.
var ErrInvalid = errors.New("invalid configuration")

// Problem is one thing to correct in the file.
type Problem struct {
	File    string
	Line    int    // from 1
	Column  int    // from 1, in characters
	Key     string // dotted, such as worker.memory; "" when it concerns the whole file
	Message string // never contains a value of the file
}

// String is "file:line:column: key: message".
func (p Problem) String() string {
	place := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Key != "" {
		place += p.Key + ": "
	}
	return place + p.Message
}

// InvalidError holds all the problems of one file in the order of its lines.
type InvalidError struct{ Problems []Problem }

// maxShown keeps the message readable when the wrong file was given.
const maxShown = 20

// Error has a line per problem.
func (e *InvalidError) Error() string {
	var text strings.Builder
	text.WriteString(ErrInvalid.Error() + ":")
	for _, p := range e.Problems[:min(len(e.Problems), maxShown)] {
		text.WriteString("\n  " + p.String())
	}
	if more := len(e.Problems) - maxShown; more > 0 {
		fmt.Fprintf(&text, "\n  and %d more", more)
	}
	return text.String()
}

// Unwrap gives ErrInvalid.
func (e *InvalidError) Unwrap() error { return ErrInvalid }

// place is where a key's value stands, and the reference it came from.
type place struct {
	line, column int
	reference    string // "${NAME}", or "" for a value in the file itself
}

// findings collects the problems of one file and knows where its keys stand.
type findings struct {
	file     string
	places   map[string]place
	problems []Problem
}

func newFindings(file string) *findings {
	return &findings{file: file, places: map[string]place{"": {line: 1, column: 1}}}
}

// add notes a problem at the key, or at the nearest section around a key that
// the file does not have. Only the first problem of a key is kept: the others
// usually follow from it.
func (f *findings) add(key, message string) {
	if f.has(key) {
		return
	}
	at, around := place{}, key
	for {
		found, ok := f.places[around]
		if ok {
			at = found
			break
		}
		around = around[:max(strings.LastIndexByte(around, '.'), 0)]
	}
	if at.reference != "" && around == key {
		message += " (the value comes from " + at.reference + ")"
	}
	f.addAt(at, key, message)
}

func (f *findings) addAt(at place, key, message string) {
	f.problems = append(f.problems, Problem{File: f.file, Line: at.line, Column: at.column, Key: key, Message: message})
}

// has reports whether the key already has a problem.
func (f *findings) has(key string) bool {
	return slices.ContainsFunc(f.problems, func(p Problem) bool { return p.Key == key })
}

// err is nil when nothing was found.
func (f *findings) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(f.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &InvalidError{Problems: f.problems}
}
