package worker

import (
	"strings"
	"unicode"
)

// Typed is a field without what people and programs leave around a value: white
// space, ends of lines, invisible marks (of direction, for example), and the comma
// or semicolon of the list that it was copied from.
func Typed(field string) string { return strings.TrimFunc(field, isAround) }

func isAround(r rune) bool {
	return unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf) || strings.ContainsRune(";,؛،", r)
}

// isList reports whether a value is an array as Postgres or JSON writes one.
func isList(value string) bool { return strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") }
