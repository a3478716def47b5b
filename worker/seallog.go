package worker

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

const (
	// sealBatch bounds the entries of one checkpoint, and so the memory of a seal
	// after years without a key.
	sealBatch = 32 * manifest.TileWidth
	// endSealTimeout bounds giving back the lease; it frees itself in the end.
	endSealTimeout = 5 * time.Second
)

// ErrLogAlarm says that the evidence log in the bucket does not continue the one
// that is known. Nothing was signed.
var ErrLogAlarm = errors.New("the evidence log is not as it was left, and nothing was signed")

// errOvertaken: another process has sealed meanwhile.
var errOvertaken = errors.New("another process has sealed meanwhile")

// seal is one process's work on the log, under the lease.
type seal struct {
	*Worker
	lease      store.SealLease
	head       store.LogHead // what is published
	checkpoint []byte        // its exact bytes; nil before the first
	tree       *logTree      // over it
}

// sealOnce puts up to that many entries under a signed checkpoint, and a
// checkpoint beside each closed run that has none. It reports whether this
// process did it: another may be at it, or have overtaken this one.
//
// Each step can be repeated by whoever seals next: indexes once assigned are
// never changed, so tiles have one content and checkpoints grow one tree.
func (w *Worker) sealOnce(ctx context.Context, entries int64) (mine bool, err error) {
	s := &seal{Worker: w}
	err = w.database.try(ctx, func() (err error) {
		s.lease, mine, err = w.Ledger.BeginSeal(ctx, w.process)
		return err
	})
	if err != nil || !mine {
		return false, err
	}
	defer s.end(ctx)

	if err := s.extend(ctx, entries); err != nil {
		if errors.Is(err, errOvertaken) || errors.Is(err, store.ErrLeaseLost) {
			return false, nil
		}
		return true, err
	}
	return true, s.placeCheckpoints(ctx)
}

// extend takes the log in steps to that many entries, or to all there are.
func (s *seal) extend(ctx context.Context, entries int64) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for {
		// 1. Assign indexes to what waits. From here on the order of the log is
		// settled, whoever publishes it.
		assigned, err := s.assign(ctx, sealBatch)
		if err != nil {
			return err
		}
		if s.head.Size >= min(entries, assigned) {
			return nil
		}

		// 2. Put tiles and entry bundles. Nobody looks at them before a checkpoint
		// covers them; the same bytes there already are as good.
		from, size := s.head.Size, min(assigned, s.head.Size+sealBatch)
		bundles, err := s.grow(ctx, size)
		if err != nil {
			return err
		}
		if err := s.putTiles(ctx, manifest.NewTiles(from, size), bundles); err != nil {
			return err
		}
		// 3. Replace the checkpoint, if it is still the one that was read. This
		// publishes the entries.
		if err := s.publish(ctx); err != nil {
			return err
		}
		// 4. Note it in the ledger: from here on a log that is shorter, or another
		// one, is an alarm.
		if err := s.note(ctx); err != nil {
			return err
		}
	}
}

// assign gives indexes to up to n records and runs, and returns how many entries
// have one now.
func (s *seal) assign(ctx context.Context, n int) (int64, error) {
	return ask(ctx, s.database, func() (int64, error) { return s.Ledger.AssignEntries(ctx, s.lease, n) })
}

// open reads the published checkpoint and makes sure that it continues what the
// ledger knows. One that is ahead, because a process died between steps 3 and 4,
// is noted if it covers exactly the entries that were assigned.
func (s *seal) open(ctx context.Context) error {
	assigned, err := s.assign(ctx, 0)
	if err != nil {
		return err
	}
	s.head = s.lease.Head
	root, err := rootOf(s.head)
	if err != nil {
		return err
	}
	s.tree = s.newLogTree(ctx, tlog.Tree{N: s.head.Size, Hash: root})

	key := s.Layout.Checkpoint()
	body, object, err := s.readObject(ctx, key, "")
	if errors.Is(err, store.ErrNotFound) && s.head.Size == 0 {
		s.head.ETag = ""
		return nil
	}
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: %q is missing, which covered %d entries", ErrLogAlarm, key, s.head.Size)
	}
	if err != nil {
		return err
	}
	published, err := manifest.OpenCheckpoint(body, s.Signing.Verifier())
	if err != nil {
		return fmt.Errorf("%w: %q: %w", ErrLogAlarm, key, err)
	}
	s.head.ETag, s.checkpoint = object.ETag, body
	switch {
	case published.Size < s.head.Size:
		return fmt.Errorf("%w: %q was set back: it covers %d entries, and covered %d", ErrLogAlarm, key, published.Size, s.head.Size)
	case published.Size > assigned:
		return fmt.Errorf("%w: %q covers %d entries, and the ledger has only %d: the ledger was set back, or somebody else has the signing key",
			ErrLogAlarm, key, published.Size, assigned)
	case published.Size == s.head.Size && published.Root != root:
		return fmt.Errorf("%w: %q covers the same number of entries with another root hash", ErrLogAlarm, key)
	case published.Size == s.head.Size:
		return nil
	}

	bundles, err := s.grow(ctx, published.Size)
	if err != nil {
		return err
	}
	grown, err := tlog.TreeHash(published.Size, s.tree)
	if err != nil {
		return err
	}
	if grown != published.Root {
		return fmt.Errorf("%w: %q covers %d entries that are not those of the ledger", ErrLogAlarm, key, published.Size)
	}
	if err := s.putTiles(ctx, manifest.NewTiles(s.head.Size, published.Size), bundles); err != nil {
		return err
	}
	s.head.Size, s.head.Root = published.Size, base64.StdEncoding.EncodeToString(published.Root[:])
	return s.note(ctx)
}

// bundled are entries of the log from the beginning of a bundle on.
type bundled struct {
	first   int64 // index of the first one
	entries []manifest.Entry
}

// grow adds the assigned entries up to that size to the tree, and returns those
// of the bundles that are new with it. The bundle at the edge is among them: it is
// put whole again, with the new entries.
func (s *seal) grow(ctx context.Context, size int64) (bundled, error) {
	from := s.head.Size
	first := from - from%manifest.TileWidth
	rows, err := ask(ctx, s.database, func() ([]store.LogEntry, error) {
		return s.Ledger.LogEntries(ctx, first, size)
	})
	if err != nil {
		return bundled{}, err
	}
	entries := make([]manifest.Entry, len(rows))
	for i, row := range rows {
		if n, err := hex.Decode(entries[i][:], []byte(row.SHA256)); err != nil || n != len(entries[i]) {
			return bundled{}, fmt.Errorf("log entry %d of the ledger is no SHA-256", row.Index)
		}
		if row.Index >= from {
			if err := s.tree.add(entries[i]); err != nil {
				return bundled{}, err
			}
			continue
		}
		published, err := s.tree.ReadHashes([]int64{tlog.StoredHashIndex(0, row.Index)})
		if err != nil {
			return bundled{}, err
		}
		if published[0] != manifest.LeafHash(entries[i]) {
			return bundled{}, fmt.Errorf("%w: entry %d of the ledger (%s) is not the one in the log", ErrLogAlarm, row.Index, row.Key)
		}
	}
	return bundled{first, entries}, nil
}

// publish signs the tree as it is and replaces the checkpoint.
func (s *seal) publish(ctx context.Context) error {
	root, err := tlog.TreeHash(s.tree.size, s.tree)
	if err != nil {
		return err
	}
	body, err := manifest.Checkpoint{Origin: s.Signing.Origin(), Size: s.tree.size, Root: root}.Sign(s.Signing.Signer())
	if err != nil {
		return err
	}
	request := putRequest(s.Layout.Checkpoint(), "text/plain; charset=utf-8", body)
	request.IfMatch, request.Unlocked = s.head.ETag, true
	object, err := s.putObject(ctx, request)
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) {
		return errOvertaken
	}
	if err != nil {
		return err
	}
	s.head = store.LogHead{Size: s.tree.size, Root: base64.StdEncoding.EncodeToString(root[:]), ETag: object.ETag}
	s.checkpoint = body
	return nil
}

// note keeps the published head in the ledger and begins the next step with what
// is published.
func (s *seal) note(ctx context.Context) error {
	err := s.database.try(ctx, func() error {
		return s.Ledger.NoteCheckpoint(ctx, s.lease, s.head)
	})
	if err != nil {
		return err
	}
	root, err := rootOf(s.head)
	if err != nil {
		return err
	}
	s.tree = s.newLogTree(ctx, tlog.Tree{N: s.head.Size, Hash: root})
	s.Log.Info("log sealed", "event", "log_sealed", "run_id", s.run.ID, "size", s.head.Size, "root", s.head.Root)
	return nil
}

// end gives the lease back. Where that fails it is free once the process is
// gone, or at the next seal of this one.
func (s *seal) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endSealTimeout)
	defer cancel()
	if err := s.Ledger.EndSeal(ctx, s.lease); err != nil {
		s.Log.Warn("the right to seal could not be given back; it frees itself", "event", "end_seal_failed",
			"run_id", s.run.ID, "error", err.Error())
	}
}

func rootOf(head store.LogHead) (tlog.Hash, error) {
	if head.Size == 0 {
		return tlog.Hash{}, nil
	}
	root, err := tlog.ParseHash(head.Root)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("root hash of the log in the ledger: %w", err)
	}
	return root, nil
}
