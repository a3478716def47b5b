package worker

import (
	"context"
	"fmt"

	"vlens-archiver/store"
)

func (w *Worker) sync(ctx context.Context) (result store.SyncResult, err error) {
	w.progress.phase("sync")
	ctx, span := startSpan(ctx, spanSync)
	defer func() { endSpan(span, err) }()
	result, err = ask(ctx, w.database, func() (store.SyncResult, error) {
		return w.Users.Sync(ctx, store.SyncRequest{
			RunID:            w.run.ID,
			Process:          w.process,
			Key:              w.Key,
			AllowPersonalIDs: w.AllowPersonalIDs,
			AcceptLeft:       w.AcceptLeft,
		})
	})
	if err != nil {
		return result, fmt.Errorf("sync users: %w", err)
	}
	w.Log.Info("users synced", "event", "users_synced", "run_id", w.run.ID,
		"users", result.Users, "new", result.New, "changed", result.Changed,
		"returned", result.Returned, "left", result.Left, "left_held", result.LeftHeld, "undated", result.Undated)
	return result, nil
}
