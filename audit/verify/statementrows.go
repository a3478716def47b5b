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
	case row.Exceptions != nil && s.Exception != nil:
		return differingExceptions(s.Exceptions(key, sha256), row.Exceptions)
	}
	return "sort of act"
}

func differingAccess(stated, row store.Access) string {
	return differing(
		field{"time", stated.At.Equal(row.At)},
		field{"action", stated.Action == row.Action},
		field{"actor", stated.Actor == row.Actor},
		field{"subject", stated.Subject == row.Subject},
		field{"reason", stated.Reason == row.Reason},
		field{"number of objects", stated.Objects == row.Objects},
	)
}

func differingVerification(stated, row store.Verification) string {
	return differing(
		field{"start", stated.StartedAt.Equal(row.StartedAt)},
		field{"end", stated.EndedAt.Equal(row.EndedAt)},
		field{"mode", stated.Mode == row.Mode},
		field{"scope", sameJSON(stated.Scope, row.Scope)},
		field{"count", stated.Objects == row.Objects && stated.Records == row.Records && stated.Damaged == row.Damaged},
		field{"list of findings", maps.Equal(stated.Findings, row.Findings)},
	)
}

// differingExceptions compares user by user; both are in the order of subjects.
func differingExceptions(stated, rows []store.Exception) string {
	if len(stated) != len(rows) {
		return "number of users"
	}
	for n, s := range stated {
		row := rows[n]
		if what := differing(
			field{"subject", s.Subject == row.Subject},
			field{"verification", s.Transaction == row.Transaction && s.VerifiedAt.Equal(row.VerifiedAt)},
			field{"class", s.Class == row.Class},
			field{"act", s.Act == row.Act},
			field{"reason", s.Reason == row.Reason},
			field{"actor", s.Actor == row.Actor},
			field{"time", s.At.Equal(row.At)},
			field{"hash", s.AuditSHA256 == row.AuditSHA256},
		); what != "" {
			return what
		}
	}
	return ""
}

// sameJSON reports whether two texts are the same value: the ledger keeps them
// in a notation of its own.
func sameJSON(a, b json.RawMessage) bool {
	var left, right any
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && reflect.DeepEqual(left, right)
}
