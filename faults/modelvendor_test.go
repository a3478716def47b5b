package faults_test

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// treat changes how the vendor treats a user.
func (m *model) treat(r *rapid.T, id string, edit func(*vlenstest.Rules)) {
	rules := m.rules[id]
	edit(&rules)
	m.rules[id] = rules
	err := m.sim.Change(func(scenario *vlenstest.Scenario) {
		if scenario.Users == nil {
			scenario.Users = map[string]vlenstest.Rules{}
		}
		scenario.Users[id] = rules
	})
	if err != nil {
		r.Fatal(err)
	}
	m.sourceChanged()
}

// spoil makes an image gone, no image or unreadable, or well again.
func (m *model) spoil(r *rapid.T) {
	kind := rapid.SampledFrom(vlenstest.Kinds[:]).Draw(r, "kind")
	what := rapid.SampledFrom([]string{"gone", "not_image", "invalid_base64", "jpeg"}).Draw(r, "image")
	m.treat(r, m.anybody(r), func(rules *vlenstest.Rules) {
		images := map[vlenstest.Kind]string{kind: what}
		for other, is := range rules.Images {
			if other != kind {
				images[other] = is
			}
		}
		rules.Images = images
	})
}

// forget has the vendor say that it knows no such user or has no image of the user,
// has it fail, or finds the user again.
func (m *model) forget(r *rapid.T) {
	how := rapid.SampledFrom([]string{"unknown", "empty", "failing", "known"}).Draw(r, "how")
	m.treat(r, m.anybody(r), func(rules *vlenstest.Rules) {
		rules.User, rules.Listing, rules.Faults = "", "", nil
		switch how {
		case "unknown":
			rules.User = "unknown"
		case "empty":
			rules.Listing = "empty"
		case "failing":
			rules.Faults = map[vlenstest.Endpoint]string{vlenstest.List: "error"}
		}
	})
}

func (m *model) passTime(r *rapid.T) {
	m.passed.Add(int64(rapid.SampledFrom([]time.Duration{time.Hour, 25 * time.Hour, 35 * 24 * time.Hour}).Draw(r, "time")))
}

// beAbsent has the bucket or the ledger not answer once, and waits for it.
func (m *model) beAbsent(r *rapid.T) {
	f := &fault{stored: rapid.Bool().Draw(r, "stored")}
	for f.at == "" || f.at == "claim" && f.stored { // a claim whose answer is lost above the ledger stays leased
		f.at = rapid.SampledFrom(writes[len(opening):]).Draw(r, "write")
	}
	asked := m.asked()
	if _, err := m.run(r.Context(), m.newRun(), f); err != nil {
		r.Fatalf("absence at %q: %v", f.at, err)
	}
	m.checkAsked(r, asked)
}

// recover makes the vendor well, and lets so much time pass that everybody is looked at
// again; what is settled a person has tried once more.
func (m *model) recover(r *rapid.T) {
	for id := range m.in {
		m.treat(r, id, func(rules *vlenstest.Rules) { *rules = vlenstest.Rules{Verification: rules.Verification} })
	}
	m.passed.Add(int64(35 * 24 * time.Hour))
	m.cleanRun(r)
	_, err := m.run(r.Context(), m.newRun(), &fault{}, func(config *worker.Config) {
		config.Run.Kind, config.Run.Selection = store.RunBackfill, store.Selection{Failed: true}
	})
	if err != nil {
		r.Fatalf("backfill of what failed: %v", err)
	}
}

// asked is how often the listing of each user was asked for.
func (m *model) asked() map[string]int {
	asked := map[string]int{}
	for id := range m.in {
		asked[id] = m.sim.ListRequests(id)
	}
	return asked
}

// checkAsked looks at those who were asked about in a run that came to its end:
// whoever is listed counts as archived if, and only if, every image of that
// verification is stored.
func (m *model) checkAsked(r *rapid.T, before map[string]int) {
	for id := range m.in {
		expected, _ := m.sim.Expected(id)
		if m.sim.ListRequests(id) == before[id] || !expected.Listed {
			continue
		}
		person, _ := m.sim.Person(id)
		state, newest := m.ledger.Stands(id)
		whole := m.isWhole(r, id, person.TransactionID)
		if newest != person.TransactionID || whole != (state == store.StateArchived) {
			r.Errorf("%s is %s with verification %s; %s is the newest, and whole in the bucket: %t", id, state, newest, person.TransactionID, whole)
		}
	}
	m.checkArchived(r)
}

// checkArchived makes sure that what is counted as archived is in the bucket, in its
// newest verification.
func (m *model) checkArchived(r *rapid.T) {
	for id := range m.in {
		if state, newest := m.ledger.Stands(id); state == store.StateArchived && !m.isWhole(r, id, newest) {
			r.Errorf("%s counts as archived, and verification %s is not whole in the bucket", id, newest)
		}
	}
}

// isWhole reports whether the bucket has every image of a verification, as the vendor
// had it.
func (m *model) isWhole(r *rapid.T, id, transaction string) bool {
	subject := archivetest.SubjectOf(id)
	folder := archivetest.Prefix + "/subjects/" + subject[:2] + "/" + subject + "/" + transaction + "/"
	kinds := map[string]bool{}
	for object, err := range m.bucket.List(r.Context(), folder) {
		if err != nil {
			r.Fatal(err)
		}
		if image, _, isImage := strings.Cut(object.Key, ".jpg"); isImage && m.ever[image] != "" {
			kind, _, _ := strings.Cut(strings.TrimPrefix(object.Key, folder), ".")
			kinds[kind] = true
		}
	}
	return len(kinds) == vlenstest.KindCount
}
