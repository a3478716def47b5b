package main

import (
	"testing"

	"vlens-archiver/internal/doctor"
	"vlens-archiver/vlens/vlenstest"
)

func TestDoctorOnAHealthySite(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 12}).migrated()
	s.run("doctor").exits(exitDone).prints("vlens.permission").prints("0 failed").prints("Worth a thought:")
	report := read[statedReport](s.run("doctor", "--json").exits(exitDone))
	if report.Summary.Failed != 0 || report.Summary.ExitCode != exitDone || report.Summary.OK < 20 {
		t.Errorf("%+v", report.Summary)
	}
	if n := s.vlens.Requests(); n != 4 {
		t.Errorf("two examinations sent %d requests to Vlens, want 4", n)
	}
}

func TestDoctorExitCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 1})
	// The ledger has no tables: 4, and the quota without limits needs none.
	s.run("doctor").exits(exitInvalid).prints("FAIL  ledger.schema").prints("ledger.schema: run `vlens-archiver migrate up`").
		prints("ok    vlens.permission").says("each check is listed with its remedy")
	// A refused login is more.
	s.env["VLENS_PASSWORD"] = "wrong"
	report := read[statedReport](s.run("doctor", "--json").exits(exitDenied))
	if report.Summary.ExitCode != exitDenied || report.Summary.Failed != 2 {
		t.Errorf("%+v", report.Summary)
	}
	statuses := make(map[string]doctor.Status)
	for _, check := range report.Checks {
		statuses[check.Name] = check.Status
	}
	if statuses["vlens.login"] != doctor.Failed || statuses["vlens.permission"] != doctor.Skipped || statuses["bucket.create_only"] != doctor.OK {
		t.Errorf("%v", statuses)
	}
	// Nothing but a failure of a service: 1.
	s.migrated()
	s.env["VLENS_BASE_URL"] = "http://127.0.0.1:1"
	s.env["VLENS_PASSWORD"] = vlenstest.DefaultPassword
	s.run("doctor").exits(exitFailed).prints("FAIL  vlens.login")
	// Without a configuration there is nothing to examine.
	s.env["PER_MINUTE"] = "many"
	s.run("doctor").exits(exitInvalid).prints("FAIL  config.file").prints("vlens.quota.per_minute")
}
