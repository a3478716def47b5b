package postgres_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

// wire stands between a program and Postgres and can lose an answer: what was
// asked is done, but who asked only sees the connection break.
type wire struct {
	url  store.Sensitive
	lose atomic.Bool
}

func newWire(t *testing.T, to store.Sensitive) *wire {
	t.Helper()
	address, err := url.Parse(to.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	socket := ".s.PGSQL." + query.Get("port")
	server := filepath.Join(query.Get("host"), socket)
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	query.Set("host", dir)
	address.RawQuery = query.Encode()
	w := &wire{url: store.Sensitive(address.String())}

	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { w.forward(client, server) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		group.Wait()
	})
	return w
}

func (w *wire) forward(client net.Conn, server string) {
	var asking sync.WaitGroup
	defer asking.Wait()
	defer client.Close()
	upstream, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	asking.Go(func() {
		io.Copy(upstream, client)
		upstream.Close()
	})
	buffer := make([]byte, 64<<10)
	for {
		n, err := upstream.Read(buffer)
		if err != nil || w.lose.CompareAndSwap(true, false) {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 4)
	s.mustSync(t, "r")
	w := newWire(t, s.url)
	ledger, err := postgres.OpenLedger(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ledger.Close)
	run := store.Run{ID: "r", Selection: store.Selection{}}
	claim := func() ([]store.Task, error) {
		return ledger.Claim(t.Context(), run, "p-r", store.NewestFirst, 2)
	}
	if tasks, err := claim(); err != nil || len(tasks) != 2 {
		t.Fatal(tasks, err)
	}

	// The last two users are leased, but nobody knows: the next claim gets them.
	w.lose.Store(true)
	if _, err := claim(); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("lost answer to a claim: %v", err)
	}
	if n := s.count(t, `SELECT count(*) FROM archive.subjects WHERE lease_process = 'p-r'`); n != 4 {
		t.Fatalf("%d users leased", n)
	}
	tasks, err := claim()
	if err != nil || len(tasks) != 2 || tasks[0].UserID != "user-3" {
		t.Fatalf("claim after a lost answer: %v, %v", tasks, err)
	}

	result := done(tasks[0], "r", store.OutcomeArchived)
	w.lose.Store(true)
	if err := ledger.Commit(t.Context(), "p-r", result); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("lost answer to a commit: %v", err)
	}
	if err := ledger.Commit(t.Context(), "p-r", result); err != nil {
		t.Fatalf("commit repeated: %v", err)
	}
	if n := s.count(t, `SELECT count(*) FROM archive.outcomes`); n != 1 {
		t.Fatalf("%d outcomes", n)
	}
}

// A process that was taken for dead and its transaction given to another must
// not file images there, even if nobody has taken its user yet.
func TestGhostLosesItsTransaction(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 2)
	s.mustSync(t, "r")
	run := store.Run{ID: "r"}
	tasks := s.claim(t, run, "p-r", 1)
	const transaction = "6f1c1f9e-0000-4000-8000-000000000001"
	known := func(subject store.Subject) store.Subject {
		t.Helper()
		known, err := s.ledger.Known(t.Context(), subject, transaction, "")
		if err != nil {
			t.Fatal(err)
		}
		return known.Owner
	}
	known(tasks[0].Subject)
	s.silence(t, "p-r")
	s.begin(t, store.Run{ID: "r"}, "p2")
	if heir := s.key.Subject("user-2"); known(heir) != heir {
		t.Fatal("a dead owner's reservation holds")
	}
	result := sixImages(done(tasks[0], "r", store.OutcomeArchived))
	result.Transaction = transaction
	if err := s.ledger.Commit(t.Context(), "p-r", result); !errors.Is(err, store.ErrLeaseLost) {
		t.Fatalf("commit into a transaction of another: %v", err)
	}
	if n := s.count(t, `SELECT count(*) FROM archive.images`); n != 0 {
		t.Fatalf("%d images written", n)
	}
}

// Of many subjects who ask for one transaction at once, one owns it.
func TestTransactionHasOneOwner(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 8)
	s.mustSync(t, "r")
	tasks := s.claim(t, store.Run{ID: "r"}, "p-r", 8)
	owners := make(chan store.Subject, len(tasks))
	var group sync.WaitGroup
	for _, task := range tasks {
		group.Go(func() {
			known, err := s.ledger.Known(t.Context(), task.Subject, "6f1c1f9e-0000-4000-8000-000000000001", "")
			if err != nil {
				t.Error(err)
			}
			owners <- known.Owner
		})
	}
	group.Wait()
	close(owners)
	first := <-owners
	for owner := range owners {
		if owner != first {
			t.Fatalf("owners %s and %s", first, owner)
		}
	}
}

// A record that is in the ledger with other bytes is an error that changes
// nothing; the same record again is adopted.
func TestRecordsAreNotReplaced(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 1)
	record := store.RecordRef{Transaction: "t-0123456789abcdef", Sequence: 1, Key: "k", ArchivedAt: time.Now(), SHA256: sha('1')}
	for n, c := range []struct {
		sha string
		ok  bool
	}{{sha('1'), true}, {sha('1'), true}, {sha('2'), false}} {
		id := "r" + string(rune('1'+n))
		s.begin(t, store.Run{ID: id, Selection: store.Selection{Force: true}}, "p-"+id)
		if _, err := s.users.Sync(t.Context(), store.SyncRequest{RunID: id, Process: "p-" + id, Key: s.key}); err != nil {
			t.Fatal(err)
		}
		task := s.claim(t, store.Run{ID: id, Selection: store.Selection{Force: true}}, "p-"+id, 1)[0]
		result := done(task, id, store.OutcomeArchived)
		record.SHA256 = c.sha
		result.Record, result.NewRecords, result.Transaction = &record, []store.RecordRef{record}, record.Transaction
		if err := s.ledger.Commit(t.Context(), "p-"+id, result); (err == nil) != c.ok {
			t.Fatalf("record %d: %v", n, err)
		}
	}
	if n := s.count(t, `SELECT count(*) FROM archive.records`); n != 1 {
		t.Fatalf("%d records", n)
	}
	if n := s.count(t, `SELECT count(*) FROM archive.outcomes`); n != 2 {
		t.Fatalf("%d outcomes", n)
	}
}
