package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/vlens/vlenstest"
)

func TestExport(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4}).migrated()
	s.run("run").exits(exitDone)
	dir := t.TempDir()
	file := filepath.Join(dir, "evidence.zip")

	// By id, and by every way in which a person may write email and phone.
	e := s.run("export", "--user", "u-000002", "--bagit", file, "--reason", "court order 88/2026", "--json").exits(exitDone)
	byID := read[statedExport](e)
	if byID.Path != file || len(byID.Images) != vlenstest.KindCount || len(byID.Records) != 1 {
		t.Errorf("export: %+v", byID)
	}
	bag, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer bag.Close()
	if first := bag.File[0].Name; !strings.HasPrefix(first, "evidence/data/") {
		t.Errorf("the zip begins with %q", first)
	}
	person, _ := s.vlens.Person("u-000002")
	local := "0" + strings.TrimPrefix(person.Phone, "+20")
	for n, written := range []string{person.Email, "  " + strings.ToUpper(person.Email) + "\r\n", person.Phone + "\n", local, "\n" + local[:4] + " " + local[4:] + "\n", "\u200e\r\n\u202a" + person.Phone + "\u202c;\r\n"} {
		folder := filepath.Join(dir, string(rune('a'+n)))
		found := read[statedExport](s.runWith(written, "export", "--out", folder, "--reason", "court order 88/2026", "--json").exits(exitDone))
		if found.Subject != byID.Subject {
			t.Errorf("%d: subject %s, want %s", n, found.Subject, byID.Subject)
		}
	}
	s.run("export", "--user", "u-000002", "--out", filepath.Join(dir, "text"), "--reason", "court order 88/2026").exits(exitDone).
		prints("6 images").prints("VERIFY.txt").prints("not in the log yet")
	if n := s.count(`SELECT count(*) FROM archive.access_log WHERE reason = 'court order 88/2026' AND objects = 7`); n != 8 {
		t.Errorf("%d rows in the access log, want 8", n)
	}

	// The source is searched, and neither finds nobody's nor two people's.
	refused := func(stdin string) ended {
		t.Helper()
		e := s.runWith(stdin, "export", "--out", filepath.Join(dir, "none"), "--reason", "audit 9").exits(exitInvalid)
		if strings.TrimSpace(stdin) != "" && strings.Contains(e.stderr, strings.TrimSpace(stdin)) {
			t.Errorf("the error repeats what was given: %s", e.stderr)
		}
		return e
	}
	refused("nobody@example.com").says("no user with this email")
	refused("+201000000000").says("no user with this phone")
	refused("\n").says("it is empty")
	refused("hello").says("neither an email nor a phone")
	refused(local + ";" + local).says("it holds more than one")
	refused("Mona <" + person.Email + ">").says("has more around the address")
	refused(strings.Repeat("x", 2000)).says("at most 1024 bytes")
	s.inSource(`UPDATE users SET email = (SELECT email FROM users WHERE id = 'u-000002') WHERE id = 'u-000003'`)
	refused(person.Email).says("several users of the source have this email")

	s.run("export", "--user", "u-999999", "--out", filepath.Join(dir, "none"), "--reason", "audit 9").exits(exitInvalid).says("nothing is archived")
	s.run("export", "--user", "u-000002", "--bagit", file, "--reason", "audit 9").exits(exitInvalid).says("exists")
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("an export that was refused left a folder")
	}
	s.env["SUBJECT_KEY"] = "YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlci1rZXk="
	s.run("export", "--user", "u-000002", "--out", filepath.Join(dir, "none"), "--reason", "audit 9").exits(exitInvalid).says("another archive.subject_key")
}

// count reads one number of the ledger.
func (s *site) count(sql string) int64 {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.env["LEDGER_DATABASE_URL"])
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(s.t.Context())
	var n int64
	if err := conn.QueryRow(s.t.Context(), sql).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}
