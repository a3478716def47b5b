package accept_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"vlens-archiver/audit/accept"
	"vlens-archiver/audit/audittest"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// lacking is an archive in which u-000002, u-000003 and u-000004 lack an image that
// cannot be had; of u-000005 nothing is known to ask by, and u-000006 fails with
// what may pass.
func lacking(t *testing.T) *audittest.Archive {
	t.Helper()
	lacks := vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.Face2: "not_image"}}
	a := audittest.New(t, vlenstest.Options{People: 6, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": lacks, "u-000003": lacks, "u-000004": lacks,
		"u-000005": {Row: "no_identifier"},
		"u-000006": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
	}}})
	a.Run("first", nil)
	return a
}

func accepting() store.Exception {
	return store.Exception{Act: store.ExceptionAccepted, Reason: "ticket 7", Actor: "Mona Adel"}
}

func ofClass(class store.Class) store.ExceptionChoice { return store.ExceptionChoice{Class: class} }

func ofUsers(ids ...string) store.ExceptionChoice { return store.ExceptionChoice{UserIDs: ids} }

func keep(a *audittest.Archive, act store.Exception, choice store.ExceptionChoice) accept.Kept {
	a.T.Helper()
	kept, err := a.Register().Keep(a.T.Context(), act, choice)
	if err != nil {
		a.T.Fatal(err)
	}
	return kept
}

// accepted are the users about whom an exception holds.
func accepted(a *audittest.Archive) string {
	a.T.Helper()
	return strings.Join(archivetest.Query[string](a.Tenant, `SELECT user_id FROM archive.accepted ORDER BY user_id`), " ")
}

func TestKeep(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	kept := keep(a, accepting(), ofClass(store.ClassNotAnImage))
	if kept.Users != 3 || kept.Already != 0 || len(kept.Statements) != 1 || len(kept.Finished) != 0 {
		t.Fatalf("%+v", kept)
	}
	if got := accepted(a); got != "u-000002 u-000003 u-000004" {
		t.Errorf("accepted: %s", got)
	}
	key := kept.Statements[0]
	var statement struct {
		Actor     string `json:"actor"`
		LedgerID  string `json:"ledger_id"`
		Exception struct {
			Act, Reason, Account string
			Subjects             []struct{ Subject, Class string }
		}
	}
	if err := json.Unmarshal(a.Get(key).Body, &statement); err != nil {
		t.Fatal(err)
	}
	e := statement.Exception
	if statement.Actor != "Mona Adel" || e.Reason != "ticket 7" || e.Act != "accepted" || e.Account != "root@test" || len(e.Subjects) != 3 || e.Subjects[0].Class != "not_an_image" {
		t.Errorf("%+v", statement)
	}
	if n := a.Count(`SELECT count(*) FROM archive.archive WHERE ledger_id::text = '` + statement.LedgerID + `'`); n != 1 {
		t.Errorf("it names the ledger %q", statement.LedgerID)
	}

	// Said again it says nothing, also of some of them; and with others, it is of these.
	if kept := keep(a, accepting(), ofClass(store.ClassNotAnImage)); kept.Users != 0 || kept.Already != 3 || len(kept.Statements) != 0 {
		t.Errorf("again: %+v", kept)
	}
	if kept := keep(a, accepting(), ofUsers("u-000005", "u-000002", "u-000005")); kept.Users != 1 || kept.Already != 1 {
		t.Errorf("one more: %+v", kept)
	}

	// Taken back it no longer holds, and can be accepted again.
	back := accepting()
	back.Act = store.ExceptionWithdrawn
	if kept := keep(a, back, ofUsers("u-000003")); kept.Users != 1 {
		t.Errorf("withdrawn: %+v", kept)
	}
	if got := accepted(a); got != "u-000002 u-000004 u-000005" {
		t.Errorf("after a withdrawal: %s", got)
	}
	if kept := keep(a, accepting(), ofClass(store.ClassNotAnImage)); kept.Users != 1 || kept.Already != 2 {
		t.Errorf("accepted again: %+v", kept)
	}
	if kept := keep(a, back, ofClass(store.ClassNotAnImage)); kept.Users != 3 {
		t.Errorf("all withdrawn: %+v", kept)
	}
	if got := accepted(a); got != "u-000005" {
		t.Errorf("after all are withdrawn: %s", got)
	}

	// All of it goes into the log with the next seal.
	a.Run("second", nil)
	stated := a.Keys("/audit/")
	if n := a.Count(`SELECT count(*) FROM archive.log_entries WHERE kind = 'statement'`); int(n) != len(stated) || n != 5 {
		t.Errorf("%d statements in the log, %d in the bucket", n, len(stated))
	}
	a.CheckLog()
}

// What does not fit writes nothing, of nobody.
func TestKeepRefuses(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	back := accepting()
	back.Act = store.ExceptionWithdrawn
	reasonless, nameless, personal := accepting(), accepting(), accepting()
	reasonless.Reason, nameless.Actor, personal.Actor = " ", "", "mona@example.com"
	for _, test := range []struct {
		act    store.Exception
		choice store.ExceptionChoice
		says   []string
	}{
		{accepting(), ofUsers("u-000002", "nobody", "u-000001", "u-000006"), []string{
			"at position 2 of the list: unknown", "at position 3 of the list: archived", "at position 4 of the list: failing with vendor_error, which may pass",
		}},
		{accepting(), ofClass(store.ClassVendorError), []string{"vendor_error may pass by itself", "gone"}},
		{back, ofUsers("u-000002"), []string{"without an exception that holds"}},
		{accepting(), ofUsers(make([]string, 10_001)...), []string{"10000 at most"}},
		{reasonless, ofUsers("u-000002"), []string{"the reason is needed"}},
		{nameless, ofUsers("u-000002"), []string{"the actor is needed"}},
		{personal, ofUsers("u-000002"), []string{"the actor holds what looks like an email"}},
	} {
		_, err := a.Register().Keep(t.Context(), test.act, test.choice)
		for _, says := range test.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%v, want %q", err, says)
			}
		}
		if len(test.choice.UserIDs) < 10 && strings.HasPrefix(test.says[0], "at ") && !errors.Is(err, store.ErrSelection) {
			t.Errorf("%v is no store.ErrSelection", err)
		}
	}
	if n := a.Count(`SELECT (SELECT count(*) FROM archive.exceptions) + (SELECT count(*) FROM archive.log_waiting)`); n != 0 || len(a.Keys("/audit/")) != 0 {
		t.Errorf("%d rows and %d statements were written", n, len(a.Keys("/audit/")))
	}
}

// "gone" is no settled failure before Vlens has said it again.
func TestGoneIsAcceptedOnceItIsBelieved(t *testing.T) {
	t.Parallel()
	a := audittest.New(t, vlenstest.Options{People: 2, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.Face2: "gone"}},
	}}})
	a.Run("first", nil)
	if _, err := a.Register().Keep(t.Context(), accepting(), ofUsers("u-000002")); err == nil || !strings.Contains(err.Error(), "when Vlens says it again") {
		t.Errorf("said once: %v", err)
	}
	if kept := keep(a, accepting(), ofClass(store.ClassGone)); kept.Users != 0 {
		t.Errorf("said once: %+v", kept)
	}
	a.Edit(`UPDATE archive.images SET found_at = found_at - interval '21 hours' WHERE class = 'gone'`)
	a.Run("second", func(c *worker.Config) {
		c.Run.Kind, c.Run.Selection = store.RunBackfill, store.Selection{UserIDs: []string{"u-000002"}}
	})
	if kept := keep(a, accepting(), ofClass(store.ClassGone)); kept.Users != 1 || accepted(a) != "u-000002" {
		t.Errorf("said twice: %+v", kept)
	}
}

// Two persons who accept at once accept each user once.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	register := a.Register()
	var users [4]int
	var both sync.WaitGroup
	for n := range users {
		both.Go(func() {
			kept, err := register.Keep(t.Context(), accepting(), ofClass(store.ClassNotAnImage))
			if users[n] = kept.Users; err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	slices.Sort(users[:])
	if users != [4]int{0, 0, 0, 3} || a.Count(`SELECT count(*) FROM archive.exceptions`) != 3 || len(a.Keys("/audit/")) != 1 {
		t.Errorf("accepted %v", users)
	}
}

// Where what is missing is the name of the verification, an exception goes by the
// user's row: the stand-in comes and goes with the order in which users are tried. Of
// others it goes by the verification, and it ends when the failure may pass.
func TestHoldsWithTheRow(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	keep(a, accepting(), ofUsers("u-000002", "u-000005"))
	for _, step := range []struct{ change, want string }{
		{`newest_transaction = 't-0123456789abcdef'`, "u-000005"},
		{`newest_transaction = ''`, "u-000005"},
		{`verified_at = verified_at + interval '1 day'`, ""},
		{`verified_at = verified_at - interval '1 day'`, "u-000005"},
		{`settled = false`, ""},
	} {
		a.ExecLedger(`UPDATE archive.subjects SET ` + step.change)
		if got := accepted(a); got != step.want {
			t.Errorf("after %s: accepted %q, want %q", step.change, got, step.want)
		}
	}
	if _, err := a.Register().Keep(t.Context(), accepting(), ofUsers("u-000005")); err == nil || !strings.Contains(err.Error(), "may pass this time") {
		t.Errorf("accepting what may pass: %v", err)
	}
}

// A class of many users takes as many statements as it needs, each of a size that
// is read.
func TestMoreUsersThanOneStatementHolds(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	a.ExecLedger(`
		INSERT INTO archive.subjects (subject, user_id, state, last_class, settled, next_due_at, due_reason)
		SELECT translate(lpad(n::text, 26, '0'), '0123456789', 'abcdefghij'), 'm-' || n, 'failed', 'no_identifier', true, now(), 'retry'
		FROM generate_series(1, 10001) AS n`)
	kept := keep(a, accepting(), ofClass(store.ClassNoIdentifier))
	if kept.Users != 10_002 || len(kept.Statements) != 2 || a.Count(`SELECT count(*) FROM archive.accepted`) != 10_002 {
		t.Errorf("%d users in %d statements", kept.Users, len(kept.Statements))
	}
	for _, key := range kept.Statements {
		if size := len(a.Get(key).Body); size > 3<<20 {
			t.Errorf("%s has %d bytes", key, size)
		}
	}
}

// A call that dies between statement and rows leaves a statement, which the next
// call enters; and says nothing twice.
func TestKilledBetweenStatementAndRows(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	release := a.Hold(`LOCK TABLE archive.log_waiting IN EXCLUSIVE MODE`)
	args := []string{"accept", "--class", "not_an_image", "--reason", "ticket 7", "--actor", "Mona Adel", "--json"}
	first := a.Start(4, args...)
	a.Await(`SELECT count(*) FROM pg_locks AS l WHERE l.relation = 'archive.log_waiting'::regclass AND NOT l.granted`)
	first.Kill()
	release()

	second := a.Start(4, args...)
	if code := second.Wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, second.Stderr)
	}
	var kept accept.Kept
	if err := json.Unmarshal(second.Stdout.Bytes(), &kept); err != nil {
		t.Fatal(err)
	}
	if kept.Users != 0 || kept.Already != 3 || len(kept.Statements) != 0 || len(kept.Finished) != 1 {
		t.Errorf("%+v", kept)
	}
	if n := a.Count(`SELECT count(*) FROM archive.exceptions`); n != 3 || len(a.Keys("/audit/")) != 1 || accepted(a) != "u-000002 u-000003 u-000004" {
		t.Errorf("%d rows, statements %v, accepted %s", n, a.Keys("/audit/"), accepted(a))
	}
	a.Run("second", nil)
	a.CheckLog()
}

// Statements of another ledger, and what is none, are no business of this one.
func TestForeignStatements(t *testing.T) {
	t.Parallel()
	a := lacking(t)
	kept := keep(a, accepting(), ofUsers("u-000002"))
	o := a.Get(kept.Statements[0])
	another := strings.Replace(kept.Statements[0], "/accept-", "/accept-0", 1)
	id := func(key string) string { return strings.TrimSuffix(key[strings.LastIndex(key, "/")+1:], ".json") }
	foreign := strings.Replace(string(o.Body), id(kept.Statements[0]), id(another), 1)
	ledger := archivetest.Query[string](a.Tenant, `SELECT ledger_id::text FROM archive.archive`)[0]
	foreign = strings.Replace(foreign, ledger, "00000000-0000-4000-8000-000000000000", 1)
	a.Put(another, archivetest.Object{Body: []byte(foreign)})
	a.Put(strings.Replace(another, "/accept-", "/accept-1", 1), archivetest.Object{Body: []byte(foreign)})
	a.Put(strings.Replace(another, "/accept-", "/withdraw-", 1), archivetest.Object{Body: []byte(fmt.Sprintf("{%q: 1}", "schema"))})
	if kept := keep(a, accepting(), ofUsers("u-000003")); kept.Users != 1 || len(kept.Finished) != 0 {
		t.Errorf("%+v", kept)
	}
	if got := accepted(a); got != "u-000002 u-000003" {
		t.Errorf("accepted: %s", got)
	}
}
