package audittest

import (
	"fmt"
	"strings"
)

// Edit changes the ledger as somebody would who may switch its triggers off.
// Arguments stand in the statements as $1, $2 and so on.
func (a *Archive) Edit(sql string, args ...any) {
	a.T.Helper()
	for n, arg := range args {
		sql = strings.ReplaceAll(sql, fmt.Sprintf("$%d", n+1), "'"+fmt.Sprint(arg)+"'")
	}
	a.ExecLedger(`DO $do$ BEGIN SET LOCAL session_replication_role = replica; ` + sql + `; END $do$`)
}
