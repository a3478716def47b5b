package storetest

import (
	"path"
	"strings"
)

// KeyClass is what an object of the archive is, as its key tells.
type KeyClass string

// The classes of keys.
const (
	ClassArchive    KeyClass = "archive" // archive.json
	ClassImage      KeyClass = "image"
	ClassRecord     KeyClass = "record"
	ClassRun        KeyClass = "run" // files of a run
	ClassTile       KeyClass = "tile"
	ClassCheckpoint KeyClass = "checkpoint" // of the log: the only key that is ever replaced
	ClassAudit      KeyClass = "audit"
	ClassOther      KeyClass = "other"
)

// ClassOf tells the class of a key. The prefix of the archive may be anything
// without the words subjects, runs, log and audit.
func ClassOf(key string) KeyClass {
	for segment := range strings.SplitSeq(path.Dir(key), "/") {
		switch segment {
		case "subjects":
			if strings.HasPrefix(path.Base(key), "record.") {
				return ClassRecord
			}
			return ClassImage
		case "runs":
			return ClassRun
		case "audit":
			return ClassAudit
		case "log":
			if path.Base(key) == "checkpoint" {
				return ClassCheckpoint
			}
			return ClassTile
		}
	}
	if path.Base(key) == "archive.json" {
		return ClassArchive
	}
	return ClassOther
}
