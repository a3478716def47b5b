package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/telemetry/telemetrytest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// nights is a tenant that misbehaves over several nights, and what has become of
// each user by the truth of the simulator.
type nights struct {
	*site
	monitor *monitor
	n       int
	users   map[string]*stands // everybody who was ever in the source
	owners  map[string]string  // who came first with a transaction
}

// stands is where a user must stand.
type stands struct {
	state     store.State
	class     store.Class
	complete  string         // the verification of which everything is stored
	hasImages bool           // something is stored of any verification
	said      map[string]int // how many nights said why something of a verification is missing
	left      bool
	accepted  string // why something is missing, as a person has accepted it
}

// lack names what is missing of which verification.
func lack(transaction string, class store.Class) string { return transaction + " " + string(class) }

// night has a day pass, everybody be due, and a run; then everything that tells of it is
// compared with what must be.
func (n *nights) night() {
	n.t.Helper()
	n.n++
	n.later(24 * time.Hour)
	n.inLedger(`UPDATE archive.subjects SET next_due_at = now() WHERE user_id IS NOT NULL`)
	collector := telemetrytest.NewCollector(n.t)
	n.env["OTLP_ENDPOINT"] = collector.GRPC
	before := n.vlens.Requests()
	e := n.run("run", "--run-id", fmt.Sprintf("night-%d", n.n), "--json")
	want := n.must()
	requests := int64(n.vlens.Requests() - before)
	want.Requests = &requests
	if e.code != *want.Exit {
		n.t.Errorf("night %d: exit code %d, must be %d", n.n, e.code, *want.Exit)
	}
	n.checkTruth(fmt.Sprintf("night %d", n.n), want, e, n.monitor, collector, n.known())
}

// known is everybody who was ever in the source.
func (n *nights) known() []string {
	var ids []string
	for id := range n.users {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// inSourceNow is whom the source has.
func (n *nights) inSourceNow() (ids []string) {
	n.t.Helper()
	n.with(n.source, func(ctx context.Context, conn *pgx.Conn) error {
		rows, _ := conn.Query(ctx, `SELECT id FROM users ORDER BY verified_at DESC`)
		var err error
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return ids
}

// must is what a night must come to, and moves everybody to where they stand after
// it.
func (n *nights) must() counts {
	n.t.Helper()
	present := n.inSourceNow()
	for _, id := range present {
		if n.users[id] == nil {
			n.users[id] = &stands{state: store.StatePending, said: make(map[string]int)}
		}
	}
	exit, left, accepted := exitDone, int64(0), int64(0)
	want := counts{
		Exit: &exit, Left: &left, Accepted: &accepted,
		Outcomes: make(map[store.Outcome]int64), Failures: make(map[store.Class]int64),
		States: make(map[store.State]int64), Failing: make(map[store.Class]int64),
	}
	for _, id := range present {
		outcome, class := n.ends(id)
		want.Outcomes[outcome]++
		if outcome.Incomplete() {
			want.Failures[class]++
			exit = exitUsersFailed
		}
	}
	for id, user := range n.users {
		user.left = !slices.Contains(present, id)
		want.States[user.state]++
		switch {
		case user.accepted != "":
			accepted++
		case user.state.Failing():
			want.Failing[user.class]++
		}
		if user.left {
			left++
		}
	}
	return want
}

// ends is how a user of the source must end in the night.
func (n *nights) ends(id string) (store.Outcome, store.Class) {
	n.t.Helper()
	user := n.users[id]
	expected, found := n.vlens.Expected(id)
	if !found {
		n.t.Fatalf("the simulator has no %s", id)
	}
	person, _ := n.vlens.Person(id)
	if expected.Rival != "" {
		rival, _ := n.vlens.Person(expected.Rival)
		person.TransactionID = rival.TransactionID
	}
	outcome, class := store.Outcome(expected.Outcome), store.Class(expected.Class)
	switch {
	case expected.Listed && n.owners[person.TransactionID] == "":
		n.owners[person.TransactionID] = id
	case expected.Listed && n.owners[person.TransactionID] != id:
		outcome, class = store.OutcomeFailed, store.ClassSharedTransaction
	}

	switch outcome {
	case store.OutcomeNoImages, store.OutcomeNotFound:
		if !user.hasImages {
			user.state, user.class = store.State(outcome), store.ClassNone
		}
		return outcome, store.ClassNone
	case store.OutcomeArchived:
		if user.complete == person.TransactionID {
			outcome = store.OutcomeUnchanged
		}
		user.state, user.class, user.complete, user.hasImages, user.accepted = store.StateArchived, store.ClassNone, person.TransactionID, true, ""
		return outcome, store.ClassNone
	}

	// Something is missing.
	switch {
	case expected.Listed:
		user.state = store.State(outcome)
	case user.state == store.StatePending:
		user.state = store.StateFailed
	}
	user.class = class
	user.hasImages = user.hasImages || outcome == store.OutcomePartial
	missing := lack(person.TransactionID, class)
	if user.accepted != missing {
		user.accepted = "" // it ends with the next change of what is missing
	}
	user.said[missing]++
	news := 1 // nights in which a settled failure is news
	if class == store.ClassGone {
		news = 2 // it is believed the second time
	}
	if class.Settled() && user.said[missing] > news {
		return store.OutcomeUnchanged, class
	}
	return outcome, class
}

// A vendor that misbehaves in many ways at once, night after night: whatever is told of
// a night, anywhere, is what the simulator knows of it.
func TestEveryPlaceTellsTheTruthOfANight(t *testing.T) {
	t.Parallel()
	image := func(kind vlenstest.Kind, what string) vlenstest.Rules {
		return vlenstest.Rules{Images: map[vlenstest.Kind]string{kind: what}}
	}
	listing := func(fault string) vlenstest.Rules {
		return vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.List: fault}}
	}
	s := newSite(t, vlenstest.Options{People: 36, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000001": image(vlenstest.IDBack, "gone"),
		"u-000002": {Image: "gone"},
		"u-000003": image(vlenstest.Face1, "not_image"),
		"u-000004": image(vlenstest.Liveness, "invalid_base64"),
		"u-000005": image(vlenstest.Liveness, "truncated"),
		"u-000006": image(vlenstest.Face2, "reset"),
		"u-000007": image(vlenstest.Face3, "absent"),
		"u-000008": image(vlenstest.IDFront, "empty"),
		"u-000009": listing("html_502"),
		"u-000010": listing("error"),
		"u-000011": listing("empty_200"),
		"u-000012": {Listing: "empty"},
		"u-000013": {Listing: "data_null"},
		"u-000014": {User: "unknown"},
		"u-000015": {Row: "no_identifier"},
		"u-000016": {PhoneOf: "u-000017"},
		"u-000018": {Row: "no_phone"},
		"u-000019": {References: "relative_urls", Row: "no_transaction"},
		"u-000020": {Image: "not_image"},
		"u-000027": listing("html_404"),
		"u-000028": listing("empty_404"),
		"u-000029": listing("html_403"),
		"u-000030": {Listing: "renamed"},
		"u-000031": image(vlenstest.IDBack, "html_404"),
		"u-000032": image(vlenstest.IDBack, "empty_404"),
	}}}).migrated()
	n := &nights{site: s, monitor: s.watch(), users: make(map[string]*stands), owners: make(map[string]string)}
	s.configure("telemetry: {otlp_endpoint: \"${OTLP_ENDPOINT}\"}\n")
	late := []string{"u-000035", "u-000036"} // they come later
	for _, id := range late {
		s.inSource(`DELETE FROM users WHERE id = '` + id + `'`)
	}

	n.night()
	n.night() // what is gone is gone
	n.night() // what is settled is no news

	// What may pass has passed.
	n.change(func(users map[string]vlenstest.Rules) {
		for _, id := range []string{
			"u-000004", "u-000006", "u-000008", "u-000009", "u-000010", "u-000011", "u-000013",
			"u-000027", "u-000028", "u-000029", "u-000030", "u-000031", "u-000032",
		} {
			delete(users, id)
		}
	}, late...)
	n.night()
	n.night() // nothing but what was settled before

	// A person accepts some of it, until those users verify again.
	n.accept("u-000001", "u-000002", "u-000015")
	n.night()

	// Users verify again, in vain and not; Vlens forgets some, and users leave and come.
	n.change(func(users map[string]vlenstest.Rules) {
		again := image(vlenstest.IDFront, "gone")
		again.Verification = 2
		users["u-000021"] = again
		again = image(vlenstest.IDFront, "not_image")
		again.Verification = 2
		users["u-000022"] = again
		users["u-000023"] = vlenstest.Rules{Verification: 2}
		users["u-000001"] = vlenstest.Rules{Verification: 2}
		users["u-000024"] = vlenstest.Rules{User: "unknown"}
		users["u-000025"] = vlenstest.Rules{Listing: "empty"}
		delete(users, "u-000014")
		users["u-000026"] = listing("error")
	}, "u-000018", "u-000003")
	n.night()
	n.night()
	n.change(func(users map[string]vlenstest.Rules) {
		users["u-000021"] = vlenstest.Rules{Verification: 3}
		delete(users, "u-000024")
		delete(users, "u-000026")
	})
	n.night()
	n.night()
}

// accept has a person accept what is missing of users.
func (n *nights) accept(ids ...string) {
	n.t.Helper()
	for _, id := range ids {
		n.site.accept("--user", id).exits(exitDone).prints("accepted: 1 users")
		person, _ := n.vlens.Person(id)
		n.users[id].accepted = lack(person.TransactionID, n.users[id].class)
	}
}

// change changes how the tenant treats users, and the company's rows with it, of
// which some are taken away.
func (n *nights) change(edit func(users map[string]vlenstest.Rules), without ...string) {
	n.t.Helper()
	if err := n.vlens.Change(func(scenario *vlenstest.Scenario) { edit(scenario.Users) }); err != nil {
		n.t.Fatal(err)
	}
	n.inSource(`DROP TABLE users`)
	n.fillUsers()
	for _, id := range without {
		n.inSource(`DELETE FROM users WHERE id = '` + id + `'`)
	}
}
