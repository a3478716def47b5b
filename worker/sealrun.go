package worker

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// placeCheckpoints puts the published checkpoint beside the files of every
// closed run that it covers and that has none yet.
func (s *seal) placeCheckpoints(ctx context.Context) error {
	runs, err := ask(ctx, s.database, func() ([]store.SealedRun, error) { return s.Ledger.SealedRuns(ctx) })
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := s.placeCheckpoint(ctx, run); err != nil {
			return fmt.Errorf("checkpoint of run %q: %w", run.ID, err)
		}
	}
	return nil
}

// placeCheckpoint puts the checkpoint beside the run's files, and a time stamp
// of it if there is an authority. A process that dies before the note in the
// ledger leaves either, and the next one finds them.
func (s *seal) placeCheckpoint(ctx context.Context, run store.SealedRun) error {
	folder := s.Layout.Run(run.StartedAt, run.ID)
	checkpoint := s.checkpoint
	_, err := s.putObject(ctx, putRequest(folder+manifest.RunCheckpoint, "text/plain; charset=utf-8", checkpoint))
	if errors.Is(err, store.ErrExists) {
		checkpoint, err = s.standingCheckpoint(ctx, folder+manifest.RunCheckpoint, run)
	}
	if err != nil {
		return err
	}
	s.timestamp(ctx, folder+manifest.RunTimestamp, checkpoint, run)
	return s.database.try(ctx, func() error {
		return s.Ledger.NoteRunCheckpoint(ctx, run.ID)
	})
}

// standingCheckpoint is an earlier checkpoint that stands beside a run already.
// It must cover the run, and be one that the log went through.
func (s *seal) standingCheckpoint(ctx context.Context, key string, run store.SealedRun) ([]byte, error) {
	body, _, err := s.readObject(ctx, key, "")
	if err != nil {
		return nil, err
	}
	earlier, err := manifest.OpenCheckpoint(body, s.Signing.Verifier())
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrLogAlarm, key, err)
	}
	if earlier.Size <= run.Index || earlier.Size > s.head.Size {
		return nil, fmt.Errorf("%w: %q covers %d entries, the run is entry %d of %d", ErrLogAlarm, key, earlier.Size, run.Index, s.head.Size)
	}
	root, err := tlog.TreeHash(earlier.Size, s.tree)
	if err != nil {
		return nil, err
	}
	if root != earlier.Root {
		return nil, fmt.Errorf("%w: %q is of another log", ErrLogAlarm, key)
	}
	return body, nil
}

// timestamp asks the authority, once, for a token over the checkpoint and puts
// it beside it. Without one the run is whole all the same.
func (s *seal) timestamp(ctx context.Context, key string, checkpoint []byte, run store.SealedRun) {
	if s.Timestamps == nil {
		return
	}
	token, err := s.Timestamps.Timestamp(ctx, checkpoint)
	if err == nil {
		_, err = s.putObject(ctx, putRequest(key, "application/timestamp-reply", token))
	}
	if err != nil && !errors.Is(err, store.ErrExists) {
		s.Log.Warn("the checkpoint of the run has no time stamp", "event", "timestamp_failed", "run_id", run.ID, "error", err.Error())
	}
}
