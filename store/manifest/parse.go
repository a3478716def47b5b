package manifest

import (
	"regexp"
	"strconv"
	"strings"

	"vlens-archiver/store"
)

// SubjectObject is what the key of an object under subjects/ says.
type SubjectObject struct {
	Subject     store.Subject
	Transaction string
	// Kind, HashPrefix and Extension are set for an image, Sequence for a record.
	Kind       store.Kind
	HashPrefix string
	Extension  string
	Sequence   int
}

var (
	subjectKey = regexp.MustCompile(`^subjects/([a-z2-7]{2})/([a-z2-7]{26})/([0-9a-f-]{36}|t-[0-9a-f]{16})/([^/]+)$`)
	imageName  = regexp.MustCompile(`^(` + kindNames() + `)\.([0-9a-f]{16})\.(` + strings.Join(store.Extensions(), "|") + `)$`)
	recordName = regexp.MustCompile(`^record\.([0-9]{4,})\.json$`)
)

// ParseSubjectObject reads a key that Image or Record may have made, and
// reports whether it is one.
func (l Layout) ParseSubjectObject(key string) (SubjectObject, bool) {
	m := subjectKey.FindStringSubmatch(l.Relative(key))
	if m == nil || !strings.HasPrefix(m[2], m[1]) {
		return SubjectObject{}, false
	}
	object := SubjectObject{Subject: store.Subject(m[2]), Transaction: m[3]}
	if image := imageName.FindStringSubmatch(m[4]); image != nil {
		object.Kind, object.HashPrefix, object.Extension = store.Kind(image[1]), image[2], image[3]
	} else if record := recordName.FindStringSubmatch(m[4]); record != nil {
		object.Sequence, _ = strconv.Atoi(record[1])
	} else {
		return SubjectObject{}, false
	}
	return object, true
}

// kindNames are alternatives of a regular expression.
func kindNames() string {
	var names []string
	for _, kind := range store.Kinds {
		names = append(names, string(kind))
	}
	return strings.Join(names, "|")
}
