package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// compareStatement compares one with its row.
func (v *Verifier) compareStatement(s stated, body []byte) {
	key, row := s.version.Key, s.rows[0]
	if len(s.rows) > 1 {
		v.found.add(Finding{LedgerDiffers, key, fmt.Sprintf("%d rows of the ledger name this statement", len(s.rows))})
		return
	}
	statement, err := manifest.DecodeStatement(body)
	hash := audit.HashOf(body)
	switch _, recorded := row.Statement(); {
	case err != nil:
		v.found.add(Finding{sortOfBroken(err), key, err.Error()})
	case recorded != "" && hash != recorded:
		v.found.add(Finding{Changed, key, fmt.Sprintf("its SHA-256 is %s, the ledger has %s", hash, recorded)})
	case !namesKey(statement, key):
		v.found.add(Finding{Changed, key, "it is another statement's content"})
	default:
		if differing := differingRow(statement, row); differing != "" {
			v.found.add(Finding{LedgerDiffers, key, "the ledger's row of this statement has another " + differing})
		}
	}
}

// namesKey reports whether the key is that of the statement.
func namesKey(s manifest.Statement, key string) bool { return path.Base(key) == s.ID+".json" }

// differingRow names the first thing in which the row is not what is stated.
func differingRow(s manifest.Statement, row store.StatedRow) string {
	switch key, sha256 := row.Statement(); {
	case row.Access != nil && s.Export != nil:
		return differingAccess(s.Access(key, sha256), *row.Access)
	case row.Verification != nil && s.Verification != nil:
		return differingVerification(s.Verified(key, sha256), *row.Verification)
	}
	return "sort of act"
}

func differingAccess(stated, row store.Access) string {
	switch {
	case !stated.At.Equal(row.At):
		return "time"
	case stated.Action != row.Action:
		return "action"
	case stated.Actor != row.Actor:
		return "actor"
	case stated.Subject != row.Subject:
		return "subject"
	case stated.Reason != row.Reason:
		return "reason"
	case stated.Objects != row.Objects:
		return "number of objects"
	}
	return ""
}

func differingVerification(stated, row store.Verification) string {
	switch {
	case !stated.StartedAt.Equal(row.StartedAt):
		return "start"
	case !stated.EndedAt.Equal(row.EndedAt):
		return "end"
	case stated.Mode != row.Mode:
		return "mode"
	case !sameJSON(stated.Scope, row.Scope):
		return "scope"
	case stated.Objects != row.Objects, stated.Records != row.Records, stated.Damaged != row.Damaged:
		return "count"
	case !maps.Equal(stated.Findings, row.Findings):
		return "list of findings"
	}
	return ""
}

// sameJSON reports whether two texts are the same value: the ledger keeps them
// in a notation of its own.
func sameJSON(a, b json.RawMessage) bool {
	var left, right any
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && reflect.DeepEqual(left, right)
}
