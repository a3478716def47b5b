package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
)

func advise(text, name string) string { return fmt.Sprintf(text, name) }

func TestLedgerFaults(t *testing.T) {
	t.Parallel()
	own := func(spoil func(*site)) func(*site) {
		return func(s *site) { spoil(s.ownDatabases()) }
	}
	asRole := func(grants string) func(*site) {
		return own(func(s *site) {
			role := s.newRole(s.ledger)
			s.in(s.ledger, strings.ReplaceAll(grants, "ROLE", role))
			s.cfg.Ledger.DatabaseURL = store.Sensitive(as(s.ledger, role))
		})
	}
	vendorSkipped := []string{"vlens.login"}
	tryFaults(t, []fault{
		{
			name: "not there", check: "ledger.server", status: Failed, text: "unavailable", remedy: advise(adviseReach, "ledger"), kind: store.ErrUnavailable,
			spoil: func(s *site) { s.cfg.Ledger.DatabaseURL = "postgres://127.0.0.1:1/ledger" }, also: vendorSkipped,
		},
		{
			name: "unknown role", check: "ledger.server", status: Failed, text: "access denied", remedy: advise(adviseLogin, "ledger"), kind: store.ErrDenied,
			spoil: func(s *site) { s.cfg.Ledger.DatabaseURL = store.Sensitive(as(s.ledger, "nobody_at_all")) },
		},
		{
			name: "no tables", check: "ledger.schema", status: Failed, text: "migrate up", remedy: adviseMigrate, kind: store.ErrSchema,
			spoil: own(func(s *site) { s.in(s.ledger, `DROP SCHEMA archive CASCADE`) }),
		},
		{
			name: "newer than the program", check: "ledger.schema", status: Failed, text: "older than the ledger", remedy: adviseMigrate, kind: store.ErrSchema,
			spoil: own(func(s *site) {
				s.in(s.ledger, `INSERT INTO archive.goose_db_version (version_id, is_applied) VALUES (9999, true)`)
			}),
		},
		{
			name: "no right to look", check: "ledger.schema", status: Failed, text: "permission denied for schema archive", remedy: adviseGrants, kind: store.ErrDenied,
			spoil: asRole(`SELECT 1`),
		},
		{
			name: "reads only", check: "ledger.rights", status: Failed, text: "permission denied for table runs", remedy: adviseGrants, kind: store.ErrDenied,
			spoil: asRole(`GRANT USAGE ON SCHEMA archive TO ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA archive TO ROLE; GRANT INSERT, UPDATE ON archive.quota TO ROLE`),
		},
		{
			name: "one table is closed", check: "ledger.rights", status: Failed, text: "lacks rights on archive.outcomes", remedy: adviseGrants, kind: store.ErrDenied,
			spoil: asRole(`GRANT USAGE ON SCHEMA archive TO ROLE; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA archive TO ROLE;
				GRANT DELETE ON archive.log_waiting TO ROLE; REVOKE INSERT ON archive.outcomes FROM ROLE`),
		},
		{
			name: "what waits for the log can only grow", check: "ledger.rights", status: Failed, text: "lacks rights on archive.log_waiting", remedy: adviseGrants, kind: store.ErrDenied,
			spoil: asRole(`GRANT USAGE ON SCHEMA archive TO ROLE; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA archive TO ROLE`),
		},
		{
			name: "history may only grow, the rest must change", check: "ledger.rights", status: Failed, text: "lacks rights on archive.subjects", remedy: adviseGrants, kind: store.ErrDenied,
			spoil: asRole(`GRANT USAGE ON SCHEMA archive TO ROLE; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA archive TO ROLE;
				GRANT UPDATE ON ALL TABLES IN SCHEMA archive TO ROLE; GRANT DELETE ON archive.log_waiting TO ROLE; REVOKE UPDATE ON archive.subjects, archive.outcomes FROM ROLE`),
		},
	})
}

// documentedGrants are those of docs/doctor.md, for another role and database.
func documentedGrants(t *testing.T, role, database string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```sql\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatal("there are no grants")
	}
	grants := strings.NewReplacer("vlens_archiver", role, "DATABASE ledger", "DATABASE "+database).Replace(block)
	return "REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE " + database + " FROM PUBLIC; " + grants
}

// The grants of docs/doctor.md are enough for doctor.
func TestDocumentedGrants(t *testing.T) {
	t.Parallel()
	s := newSite(t).ownDatabases()
	role := s.newRole(s.ledger)
	s.in(s.ledger, documentedGrants(t, role, fmt.Sprintf("ledger_%d", s.number)))
	s.cfg.Ledger.DatabaseURL = store.Sensitive(as(s.ledger, role))
	s.examine().otherwiseWell()
}

// They are enough for all that a run does, too: until its records and the run
// itself stand in the signed log.
func TestDocumentedGrantsDoForARunThatSeals(t *testing.T) {
	t.Parallel()
	const users = 3
	tn := archivetest.NewTenantAlone(t, vlenstest.Options{People: users, ImageBytes: 4 << 10})
	tn.Seals = true
	tn.ExecLedger(`CREATE ROLE least LOGIN`)
	for _, grant := range strings.Split(documentedGrants(t, "least", "ledger"), ";") {
		tn.ExecLedger(grant)
	}
	tn.LedgerURL = as(tn.LedgerURL, "least")
	report := tn.Run("first", nil)
	if !report.Closed || report.Log.Head.Size != users+1 || report.Log.Unsealed() != 0 {
		t.Errorf("closed: %t, the log: %+v", report.Closed, report.Log)
	}
	tn.CheckWhole(users)
	tn.CheckLog()
}

// A standby: the ledger cannot be written there, and for the users it is the best
// place.
func TestStandby(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, err := testservices.StartPostgres(t.Context(), testservices.PostgresOptions{Dir: dir, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	owner := server.URL("postgres")
	if _, err := postgres.Migrate(t.Context(), store.Sensitive(owner), postgres.Up); err != nil {
		t.Fatal(err)
	}
	if err := fillUsers(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.cfg.Vlens.Quota.PerSecond, s.cfg.Vlens.Quota.PerMinute = 0, 0 // the ledger cannot keep it
	s.cfg.Ledger.DatabaseURL = store.Sensitive(owner)
	s.cfg.Source.DatabaseURL = store.Sensitive(owner)
	e := s.examine().finds("ledger.rights", Failed, "a standby, which only reads", advisePrimary).because("ledger.rights", ErrMisfit)
	e.finds("source.read_only", OK, "can change no table", "")
	e.finds("source.server", OK, "on the same server as the ledger", "")
	e.otherwiseWell("ledger.rights", "config.quota")
}

func TestSourceFaults(t *testing.T) {
	t.Parallel()
	sql := func(statements string) func(*site) {
		return func(s *site) { s.ownDatabases().in(s.source, statements) }
	}
	query := func(users, lookup string) func(*site) {
		return func(s *site) { s.cfg.Source.UsersSQL, s.cfg.Source.LookupSQL = users, lookup }
	}
	all := func(columns string) string { return "SELECT " + columns + " FROM users" }
	const rest = "email, phone, transaction_id, verified_at"
	tryFaults(t, []fault{
		{
			name: "not there", check: "source.server", status: Failed, text: "unavailable", remedy: advise(adviseReach, "source"), kind: store.ErrUnavailable,
			spoil: func(s *site) { s.cfg.Source.DatabaseURL = "postgres://127.0.0.1:1/source" },
		},
		{
			name: "unknown role", check: "source.server", status: Failed, text: "access denied", remedy: advise(adviseLogin, "source"), kind: store.ErrDenied,
			spoil: func(s *site) { s.cfg.Source.DatabaseURL = store.Sensitive(as(s.source, "nobody_at_all")) },
		},
		{
			name: "superuser", check: "source.read_only", status: Warning, text: "could change 1 tables", remedy: adviseReadOnly,
			spoil: func(s *site) { s.cfg.Source.DatabaseURL = store.Sensitive(s.source) },
		},
		{
			name: "one table to write", check: "source.read_only", status: Warning, text: "could change 1 tables", remedy: adviseReadOnly,
			spoil: sql(`CREATE TABLE notes (n integer); CREATE TABLE others (n integer); GRANT DELETE ON notes TO ` + reader),
		},
		{
			name: "no id", check: "source.query", status: Failed, text: "has no column id", remedy: adviseQuery, kind: store.ErrSource,
			spoil: query(all(rest), ""),
		},
		{
			name: "no such table", check: "source.query", status: Failed, text: "does not exist", remedy: adviseQuery, kind: store.ErrSource,
			spoil: query("SELECT id, email, phone FROM customers", ""),
		},
		{
			name: "not to be read", check: "source.users", status: Failed, text: "permission denied for table users", remedy: adviseQuery, kind: store.ErrDenied,
			spoil: sql(`REVOKE SELECT ON users FROM ` + reader),
		},
		{
			name: "few columns", check: "source.query", status: Warning, text: "it lacks transaction_id, verified_at", remedy: adviseColumns,
			spoil: query(all("id, email, phone"), ""),
		},
		{
			name: "nobody", check: "source.users", status: Warning, text: "has no rows", remedy: adviseNoUsers,
			spoil: sql(`TRUNCATE users`),
		},
		{
			name: "time that is none", check: "source.users", status: Failed, text: "some value cannot be read as a time; look at verified_at", remedy: adviseQuery, kind: store.ErrSource,
			spoil: query(all("id, email, phone, transaction_id, 'some day' || id AS verified_at"), ""),
		},
		{
			name: "without id", check: "source.users", status: Failed, text: "3 rows have no id", remedy: adviseIDs, kind: ErrMisfit,
			spoil: query(all("CASE WHEN id > 'u-000009' THEN id WHEN id > 'u-000003' THEN id END AS id, "+rest), ""),
		},
		{
			name: "twice", check: "source.users", status: Failed, text: "12 rows repeat the id of another", remedy: adviseIDs, kind: ErrMisfit,
			spoil: query(all("id, "+rest)+" UNION ALL "+all("id, "+rest), ""),
		},
		{
			name: "phone as id", check: "source.users", status: Failed, text: "12 ids are shaped like", remedy: advisePersonalIDs, kind: ErrMisfit,
			spoil: query(all("email AS id, "+rest), ""),
		},
		{
			name: "email as id, allowed", check: "source.users", status: Warning, text: "and are allowed", remedy: advisePersonalIDs,
			spoil: func(s *site) {
				query(all("email AS id, "+rest), "")(s)
				s.cfg.Source.AllowPersonalIDs = true
			},
		},
		{
			name: "transaction that is none", check: "source.users", status: Failed, text: "12 transaction ids are no UUID", remedy: adviseTransaction, kind: ErrMisfit,
			spoil: query(all("id, email, phone, 'x' || transaction_id AS transaction_id, verified_at"), ""),
		},
		{
			name: "no usable phone", check: "source.users", status: Failed, text: "nobody has an identifier", remedy: adviseIdentifier, kind: ErrMisfit,
			spoil: func(s *site) {
				query(all("id, email, '123' AS phone, transaction_id, verified_at"), "")(s)
				s.cfg.Source.Identifiers = []string{"phone"}
			},
		},
		{
			name: "some without", check: "source.users", status: Warning, text: "2 users have no identifier", remedy: adviseIdentifier,
			spoil: sql(`UPDATE users SET email = ' ', phone = NULL WHERE id IN ('u-000001', 'u-000002')`),
		},
		{
			name: "other users", check: "source.lookup", status: Failed, text: "of 12 users just read, none was found again", remedy: adviseLookupUsers, kind: ErrMisfit,
			spoil: query(all("id, "+rest), all("'x' || id AS id, "+rest)+" WHERE 'x' || id = ANY($1)"),
		},
		{
			name: "fewer users", check: "source.lookup", status: Warning, text: "of 12 users just read, 11 were found again", remedy: adviseLookupUsers,
			spoil: query(all("id, "+rest), all("id, "+rest)+" WHERE id = ANY($1) AND id <> 'u-000001'"),
		},
		{
			name: "is no query", check: "source.lookup", status: Failed, text: "source.lookup_sql", remedy: adviseLookup, kind: store.ErrSource,
			spoil: query(all("id, "+rest), "SELECT id FROM customers WHERE id = ANY($1)"),
		},
		{
			name: "reads the whole table", check: "source.lookup", status: Warning, text: "the whole table public.many with about 120,000 rows", remedy: adviseLookup,
			spoil: func(s *site) {
				sql(`CREATE TABLE many (id bigint PRIMARY KEY, phone text); GRANT SELECT ON many TO ` + reader + `;
					INSERT INTO many SELECT n, '0100' || lpad(n::text, 7, '0') FROM generate_series(1, 120000) AS n`)(s)
				s.in(s.source, `ANALYZE many`)
				query(`SELECT id::text AS id, '' AS email, phone, NULL::uuid AS transaction_id, NULL::timestamptz AS verified_at FROM many`, "")(s)
			},
		},
	})
}

// The advice to name the column itself is followed, and helps.
func TestLookupSQLHelps(t *testing.T) {
	t.Parallel()
	s := newSite(t).ownDatabases()
	s.in(s.source, `CREATE TABLE many (id bigint PRIMARY KEY, phone text); GRANT SELECT ON many TO `+reader+`;
		INSERT INTO many SELECT n, '0100' || lpad(n::text, 7, '0') FROM generate_series(1, 120000) AS n`)
	s.in(s.source, `ANALYZE many`)
	const columns = `SELECT id::text AS id, '' AS email, phone, NULL::uuid AS transaction_id, NULL::timestamptz AS verified_at FROM many`
	s.cfg.Source.UsersSQL, s.cfg.Source.LookupSQL = columns, columns+` WHERE id = ANY($1)`
	e := s.examine().otherwiseWell()
	e.finds("source.users", OK, "about 120,000 users; of 1,000 rows read, 1,000 have a phone, 0 an email", "")
	e.finds("source.lookup", OK, "64 users in", "")
}

// Connections of the tests never leave the machine, so what is said of those that
// do is judged here.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		link   postgres.Link
		status Status
		text   string
	}{
		{postgres.Link{Local: true}, OK, "does not leave this machine"},
		{postgres.Link{TLS: "TLS 1.3", Verified: true}, OK, "certificate is checked"},
		{postgres.Link{TLS: "TLS 1.3"}, Warning, "may be anybody's"},
		{postgres.Link{}, Warning, "in clear"},
	} {
		for _, name := range []string{"ledger", "source"} {
			advice := advise(adviseTLS, name)
			f := judgeLink(test.link, advice)
			if f.status != test.status || !strings.Contains(f.found, test.text) || (f.remedy == advice) != (test.status == Warning) {
				t.Errorf("%+v: %+v", test.link, f)
			}
			if f.status == Warning {
				given.Store(f.remedy, true)
				faulty.Store(name+".tls", true)
			}
		}
	}
}
