package vlens

import (
	"net/url"
	"regexp"
	"strings"
)

// parseReference takes the file name and the transaction out of a listed value.
// One page of the vendor shows bare names, another speaks of URLs made of both;
// the host of a URL means nothing here, because only the configured host is ever
// asked. It reports false for a URL that names no file.
func parseReference(text string) (Reference, bool) {
	text = strings.TrimSpace(text)
	location, query, _ := strings.Cut(text, "?")
	path, asked := pathOf(location), readQuery(query)
	if asked.named {
		// Without a name this is a link to nothing: the vendor has no such image.
		if asked.fileName == "" {
			return Reference{}, true
		}
		if !asked.identified {
			asked.transaction = transactionIn(path)
		}
		return Reference{FileName: asked.fileName, TransactionID: asked.transaction}, true
	}
	isURL := strings.Contains(location, "://") || strings.HasPrefix(location, "/") || asked.transaction != ""
	if !isURL {
		return Reference{FileName: text}, true
	}
	fileName := lastSegment(path)
	if fileName == "" {
		return Reference{}, false
	}
	// A UUID that is the file's own name is not the transaction's.
	if _, isID := parseTransactionID(fileName); !asked.identified && !isID {
		asked.transaction = transactionIn(path)
	}
	return Reference{FileName: fileName, TransactionID: asked.transaction}, true
}

// parameters are the two of a query that name an image.
type parameters struct {
	fileName, transaction string
	named, identified     bool // the parameter is there, even if it is empty or wrong
}

// readQuery finds the two parameters, their names in any case.
func readQuery(query string) (p parameters) {
	query, _, _ = strings.Cut(query, "#")
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		// A name that was never encoded stays as it is.
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		switch {
		case strings.EqualFold(name, "FileName"):
			p.fileName, p.named = value, true
		case strings.EqualFold(name, "TransactionId"), strings.EqualFold(name, "transaction_id"):
			p.transaction, _ = parseTransactionID(value)
			p.identified = true
		}
	}
	return p
}

// pathOf is the path of a location without query.
func pathOf(location string) string {
	location, _, _ = strings.Cut(location, "#")
	if _, rest, ok := strings.Cut(location, "://"); ok {
		_, location, _ = strings.Cut(rest, "/")
	}
	return location
}

func lastSegment(path string) string {
	path = strings.TrimRight(path, "/")
	return unescaped(path[strings.LastIndexByte(path, '/')+1:])
}

// transactionIn is the one segment of a path that is a UUID. If different ones
// are, either may be a tenant or a folder, and a wrong transaction is worse than
// none: it makes an image look deleted.
func transactionIn(path string) string {
	found := ""
	for segment := range strings.SplitSeq(path, "/") {
		id, ok := parseTransactionID(unescaped(segment))
		if ok && found != "" && id != found {
			return ""
		}
		if ok {
			found = id
		}
	}
	return found
}

func unescaped(segment string) string {
	if decoded, err := url.PathUnescape(segment); err == nil {
		return decoded
	}
	return segment
}

const nilUUID = "00000000-0000-0000-0000-000000000000"

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// parseTransactionID takes a UUID in any case, in braces or not, and returns it
// in lower case. The nil UUID is what .NET sends for "none".
func parseTransactionID(text string) (string, bool) {
	id := strings.ToLower(strings.TrimSpace(text))
	if strings.HasPrefix(id, "{") && strings.HasSuffix(id, "}") {
		id = id[1 : len(id)-1]
	}
	if id == nilUUID || !uuidForm.MatchString(id) {
		return "", false
	}
	return id, true
}
