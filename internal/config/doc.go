// Package config reads the configuration file: strict YAML in which a whole
// value may stand for an environment variable, ${NAME}, or for the content of a
// file, ${file:/path}. It reports every problem it finds with file, line,
// column and key, and never shows a value, since any value may be a secret put
// in the wrong place.
package config
