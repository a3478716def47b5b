package main

import (
	"strings"
	"testing"

	"vlens-archiver/vlens/vlenstest"
)

// Who has no usable phone or email is told why, in the log and by status, and
// never with what the fields hold.
func TestWhyARowHasNoIdentifier(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2}).migrated()
	s.inSource(`UPDATE users SET phone = '{01001234567,01001234568}', email = 'Mona <mona@planted.example>' WHERE id = 'u-000002'`)
	run := s.run("run").exits(exitUsersFailed)
	const reason = "phone is a list in braces or brackets, email has more around the address"
	run.says(reason)

	text := s.run("status", "--user", "u-000002").exits(exitDone).prints(reason)
	stated := read[statedUser](s.run("status", "--user", "u-000002", "--json").exits(exitDone))
	if !strings.Contains(stated.Why, reason) {
		t.Errorf("why: %s", stated.Why)
	}
	for _, output := range []string{run.stderr, text.stdout, stated.Why} {
		if strings.Contains(output, "planted.example") || strings.Contains(output, "0100123456") {
			t.Errorf("it tells what the row holds:\n%s", output)
		}
	}

	s.inSource(`DELETE FROM users WHERE id = 'u-000002'`)
	s.run("status", "--user", "u-000002").exits(exitDone).prints("source.users_sql has no such row now")
	s.env["SOURCE_DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
	s.run("status", "--user", "u-000002").exits(exitDone).prints("no_identifier")
}
