package export_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// bagProblems checks a bag by the rules of RFC 8493 and of the Library of
// Congress's conformance suite, and by nothing that the writer of bags says.
// The rules are those for a complete and valid bag with SHA-256 manifests: what
// our bags never hold (fetch.txt, other algorithms, other encodings) is a
// problem too.
func bagProblems(bag fs.FS) []string {
	c := bagCheck{bag: bag, files: make(map[string]string), sizes: make(map[string]int64)}
	if err := fs.WalkDir(bag, ".", c.read); err != nil {
		c.problem("the bag cannot be read: %v", err)
		return c.problems
	}
	c.declaration()
	payload := c.manifest("manifest-sha256.txt")
	tags := c.manifest("tagmanifest-sha256.txt")
	c.completeness(payload, tags)
	c.oxum()
	return c.problems
}

type bagCheck struct {
	bag      fs.FS
	files    map[string]string // path → SHA-256
	sizes    map[string]int64
	problems []string
}

func (c *bagCheck) problem(format string, values ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, values...))
}

func (c *bagCheck) read(name string, entry fs.DirEntry, err error) error {
	if err != nil || entry.IsDir() {
		return err
	}
	if !entry.Type().IsRegular() {
		c.problem("%q is no regular file", name)
		return nil
	}
	file, err := c.bag.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	c.files[name], c.sizes[name] = hex.EncodeToString(hash.Sum(nil)), size
	return err
}

// text is a tag file; a byte order mark is forbidden (section 2.1.1).
func (c *bagCheck) text(name string) string {
	content, err := fs.ReadFile(c.bag, name)
	if err != nil {
		c.problem("%s is missing", name)
		return ""
	}
	if strings.HasPrefix(string(content), "\ufeff") {
		c.problem("%s begins with a byte order mark", name)
	}
	return string(content)
}

// declaration: exactly two lines (section 2.1.1).
func (c *bagCheck) declaration() {
	if got := c.text("bagit.txt"); !regexp.MustCompile(`^BagIt-Version: 1\.0\r?\nTag-File-Character-Encoding: UTF-8\r?\n?$`).MatchString(got) {
		c.problem("bagit.txt is %q", got)
	}
}

var (
	manifestLine = regexp.MustCompile(`^([0-9A-Fa-f]{64})[ \t]+(.+)$`)
	escape       = regexp.MustCompile(`%([0-9A-Fa-f]{2})?`)
)

// manifest reads a manifest and compares what it lists with what is there
// (sections 2.1.3 and 2.2.1).
func (c *bagCheck) manifest(name string) map[string]string {
	listed := make(map[string]string)
	for line := range strings.Lines(c.text(name)) {
		parts := manifestLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if parts == nil {
			c.problem("%s: %q is no line of a manifest", name, line)
			continue
		}
		file := c.decoded(name, parts[2])
		if strings.HasPrefix(parts[2], "*") || path.Clean(file) != file || path.IsAbs(file) || strings.HasPrefix(file, "..") || strings.HasPrefix(file, "~") {
			c.problem("%s: path %q leaves the bag or is not plain", name, file)
		}
		if _, twice := listed[file]; twice {
			c.problem("%s lists %q twice", name, file)
		}
		listed[file] = strings.ToLower(parts[1])
		switch sum, there := c.files[file]; {
		case !there:
			c.problem("%s lists %q, which is missing", name, file)
		case sum != listed[file]:
			c.problem("%s: %q has other bytes", name, file)
		}
		if isPayload := strings.HasPrefix(file, "data/"); isPayload != (name == "manifest-sha256.txt") {
			c.problem("%s lists %q", name, file)
		}
	}
	return listed
}

// decoded undoes the escapes: only CR, LF and percent are written so.
func (c *bagCheck) decoded(name, file string) string {
	return escape.ReplaceAllStringFunc(file, func(found string) string {
		switch strings.ToUpper(found) {
		case "%0A":
			return "\n"
		case "%0D":
			return "\r"
		case "%25":
			return "%"
		}
		c.problem("%s: path %q has the escape %q", name, file, found)
		return found
	})
}

// completeness: every payload file is in the manifest, every tag file in the tag
// manifest but the tag manifest itself (section 3), and nothing else is there.
func (c *bagCheck) completeness(payload, tags map[string]string) {
	for _, required := range []string{"bagit.txt", "manifest-sha256.txt", "bag-info.txt"} {
		if _, listed := tags[required]; !listed {
			c.problem("the tag manifest lacks %s", required)
		}
	}
	lower := make(map[string]string)
	for _, file := range slices.Sorted(maps.Keys(c.files)) {
		_, inPayload := payload[file]
		_, inTags := tags[file]
		switch {
		case file == "fetch.txt" || strings.HasPrefix(file, "manifest-") && file != "manifest-sha256.txt":
			c.problem("there is a %s", file)
		case strings.HasPrefix(file, "data/") && !inPayload:
			c.problem("%q is in no manifest", file)
		case !strings.HasPrefix(file, "data/") && !inTags && file != "tagmanifest-sha256.txt":
			c.problem("%q is not in the tag manifest", file)
		}
		if other, twice := lower[strings.ToLower(file)]; twice {
			c.problem("%q and %q differ only in case", file, other)
		}
		lower[strings.ToLower(file)] = file
	}
	if len(payload) == 0 {
		c.problem("there is no payload")
	}
}

// oxum compares the statement of the payload's size (section 2.2.2).
func (c *bagCheck) oxum() {
	var bytes, files int64
	for file, size := range c.sizes {
		if strings.HasPrefix(file, "data/") {
			bytes, files = bytes+size, files+1
		}
	}
	stated := 0
	for line := range strings.Lines(c.text("bag-info.txt")) {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue // a line that goes on
		}
		name, value, found := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		if !found || name == "" || strings.TrimSpace(name) != name {
			c.problem("bag-info.txt: %q is no element", line)
		}
		if strings.ToLower(name) != "payload-oxum" {
			continue
		}
		if stated++; value != strconv.FormatInt(bytes, 10)+"."+strconv.FormatInt(files, 10) {
			c.problem("Payload-Oxum is %s, the payload has %d bytes in %d files", value, bytes, files)
		}
	}
	if stated != 1 {
		c.problem("Payload-Oxum is stated %d times", stated)
	}
}

// unzipped opens a serialized bag: one folder at the top and nothing beside it
// (section 4).
func unzipped(file string) (fs.FS, func() error, error) {
	reader, err := zip.OpenReader(file)
	if err != nil {
		return nil, nil, err
	}
	top := ""
	for _, entry := range reader.File {
		first, _, nested := strings.Cut(entry.Name, "/")
		if !nested || first == "" || top != "" && first != top {
			return nil, reader.Close, fmt.Errorf("%q stands beside the bag's folder %q", entry.Name, top)
		}
		top = first
	}
	bag, err := fs.Sub(reader, top)
	return bag, reader.Close, err
}
