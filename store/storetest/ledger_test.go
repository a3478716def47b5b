package storetest_test

import (
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/storetest"
)

func TestMemoryLedger(t *testing.T) {
	t.Parallel()
	storetest.RunLedgerSuite(t, func(t *testing.T) storetest.LedgerBench {
		ledger := storetest.NewMemoryLedger(t, nil)
		return storetest.LedgerBench{
			Ledger:   ledger,
			SetUsers: func(_ *testing.T, users ...store.User) { ledger.SetUsers(users...) },
			Silence:  func(_ *testing.T, process string) { ledger.Silence(process) },
			Age:      func(_ *testing.T, runID string) { ledger.Age(runID) },
		}
	})
}

func TestMemoryLedgerAccuses(t *testing.T) {
	t.Parallel()
	key := storetest.Key(t)
	for name, fault := range map[string]func(result *store.Result){
		"no token":           func(r *store.Result) { r.LeaseToken = 0 },
		"second owner":       func(r *store.Result) { r.Transaction = "6f1c1f9e-0000-4000-8000-000000000001" },
		"other bytes":        func(r *store.Result) { r.Images[0].SHA256 = "2" },
		"other record bytes": func(r *store.Result) { r.NewRecords[0].SHA256 = "2" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judge := &accused{TB: t}
			ledger := storetest.NewMemoryLedger(judge, nil)
			ledger.SetUsers(store.User{ID: "a"}, store.User{ID: "b"})
			run, err := ledger.OpenRun(t.Context(), store.Run{ID: "r", Kind: store.RunManual})
			must(t, err)
			must(t, ledger.Enter(t.Context(), "p", "w", "r"))
			_, err = ledger.Sync(t.Context(), store.SyncRequest{RunID: "r", Process: "p", Key: key})
			must(t, err)
			tasks, err := ledger.Claim(t.Context(), run, "p", store.NewestFirst, 2)
			must(t, err)
			result := func(task store.Task) store.Result {
				return store.Result{
					Task: task, RunID: "r", Outcome: store.OutcomeArchived, Transaction: "t-0123456789abcdef",
					Images:     []store.Image{{Kind: store.IDFront, State: store.ImageStored, Key: "k", SHA256: "1"}},
					NewRecords: []store.RecordRef{{Key: "rec", SHA256: "1", Sequence: 1}},
				}
			}
			must(t, ledger.Commit(t.Context(), "p", result(tasks[0])))
			bad := result(tasks[1])
			fault(&bad)
			if err := ledger.Commit(t.Context(), "p", bad); err == nil || len(judge.errors) != 1 {
				t.Fatalf("commit = %v, accusations = %q", err, judge.errors)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
