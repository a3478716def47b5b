package main

import (
	"net/url"
	"testing"

	"vlens-archiver/vlens/vlenstest"
)

// Who may only look at the ledger can see how the archive stands, and status
// leaves no trace there.
func TestStatusNeedsSELECTAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2}).migrated()
	s.env["PER_MINUTE"] = "6000"
	s.run("run", "--run-id", "nightly").exits(exitDone)
	ledger := s.env["LEDGER_DATABASE_URL"]
	s.inLedger(`CREATE ROLE status_reader LOGIN; GRANT USAGE ON SCHEMA archive TO status_reader; GRANT SELECT ON ALL TABLES IN SCHEMA archive TO status_reader`)
	defer s.exec(ledger, `DROP OWNED BY status_reader; DROP ROLE status_reader`)
	reader, err := url.Parse(ledger)
	if err != nil {
		t.Fatal(err)
	}
	query := reader.Query()
	query.Set("user", "status_reader")
	reader.RawQuery = query.Encode()
	s.env["LEDGER_DATABASE_URL"] = reader.String()

	status := read[statedStatus](s.run("status", "--json").exits(exitDone))
	if status.Users["archived"] != 2 || status.Quota.PerMinute != 6000 {
		t.Errorf("%+v", status)
	}
	s.run("status", "--user", "u-000001").exits(exitDone).prints("archived")
}
