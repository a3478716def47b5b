package config

import (
	"errors"
	"strings"
)

var (
	errStatementStart = errors.New("expected a statement that begins with SELECT or WITH")
	errStatements     = errors.New("expected one statement, but text follows a semicolon")
	errOpenQuote      = errors.New("a quote or comment is not closed")
)

// queryStatement checks that the text is one SELECT or WITH statement and
// returns it without a trailing semicolon. Semicolons in quotes and comments
// belong to the statement. The rules are those of the PostgreSQL manual,
// "Lexical Structure". hasIDs reports a parameter $1.
func queryStatement(sql string) (statement string, hasIDs bool, err error) {
	start, end := -1, -1
	for i := 0; i < len(sql); {
		next, isComment, err := token(sql, i)
		if err != nil {
			return "", false, err
		}
		piece := sql[i:next]
		switch {
		case isComment || strings.TrimSpace(piece) == "":
		case piece == ";":
			if end < 0 {
				end = i
			}
		case end >= 0:
			return "", false, errStatements
		case start < 0:
			start = i
			if !strings.EqualFold(piece, "SELECT") && !strings.EqualFold(piece, "WITH") {
				return "", false, errStatementStart
			}
		case piece == "$1":
			hasIDs = true
		}
		i = next
	}
	if start < 0 {
		return "", false, errStatementStart
	}
	if end >= 0 {
		sql = sql[:end]
	}
	return strings.TrimSpace(sql), hasIDs, nil
}

// token gives the end of the word, quoted text, comment or character at i.
func token(sql string, i int) (next int, isComment bool, err error) {
	rest := sql[i:]
	switch {
	case strings.HasPrefix(rest, "--"):
		if line := strings.IndexAny(rest, "\r\n"); line >= 0 {
			return i + line, true, nil
		}
		return len(sql), true, nil
	case strings.HasPrefix(rest, "/*"):
		next, err = commentEnd(sql, i)
		return next, true, err
	case rest[0] == '\'' || rest[0] == '"':
		next, err = quoteEnd(sql, i, false)
	case len(rest) > 1 && strings.EqualFold(rest[:2], "e'"):
		next, err = quoteEnd(sql, i+1, true)
	case rest[0] == '$':
		next, err = dollarEnd(sql, i)
	case isWord(rest[0]):
		next = i + 1
		for next < len(sql) && (isWord(sql[next]) || sql[next] == '$') {
			next++
		}
	default:
		next = i + 1
	}
	return next, false, err
}

// commentEnd follows nested comments, which PostgreSQL allows.
func commentEnd(sql string, i int) (int, error) {
	depth := 0
	for ; i+1 < len(sql); i++ {
		switch sql[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, errOpenQuote
}

// quoteEnd finds the closing quote. A doubled quote reads as two quoted texts
// side by side, except that an escape string must stay one.
func quoteEnd(sql string, i int, escapes bool) (int, error) {
	quote := sql[i]
	for i++; i < len(sql); i++ {
		switch {
		case escapes && sql[i] == '\\':
			i++
		case sql[i] == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
		case sql[i] == quote:
			return i + 1, nil
		}
	}
	return 0, errOpenQuote
}

// dollarEnd ends a dollar-quoted text, $$…$$ or $tag$…$tag$, or a parameter
// such as $1.
func dollarEnd(sql string, i int) (int, error) {
	end := i + 1
	for end < len(sql) && isWord(sql[end]) {
		end++
	}
	isParameter := end > i+1 && sql[i+1] >= '0' && sql[i+1] <= '9'
	if isParameter || end == len(sql) || sql[end] != '$' {
		return end, nil
	}
	tag := sql[i : end+1]
	length := strings.Index(sql[end+1:], tag)
	if length < 0 {
		return 0, errOpenQuote
	}
	return end + 1 + length + len(tag), nil
}

// isWord reports letters, digits, underscores and all of non-ASCII, as
// PostgreSQL does for identifiers.
func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
