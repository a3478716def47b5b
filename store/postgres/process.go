package postgres

import (
	"context"
	"fmt"

	"vlens-archiver/store"
)

// heartbeatLimit is the oldest heartbeat of a process that lives.
var heartbeatLimit = fmt.Sprintf(`(now() - interval '%d seconds')`, int(store.TakeoverAfter.Seconds()))

// liveProcesses is the sub-query for the processes whose leases hold.
var liveProcesses = `SELECT p.process FROM archive.processes AS p
	WHERE p.ended_at IS NULL AND p.heartbeat_at > ` + heartbeatLimit

// processGone begins the sub-query that is true for a process whose leases are
// free. The name of the process and a parenthesis follow.
//
// It is not the opposite of liveProcesses: for a process that entered after the
// statement began it is NULL, so that what such a process has just leased, and
// the statement sees only when it locks the row, is not taken for free.
var processGone = `(SELECT p.ended_at IS NOT NULL OR p.heartbeat_at <= ` + heartbeatLimit + `
	FROM archive.processes AS p WHERE p.process = `

// Enter makes the process known: from here on it may hold users, as long as it
// beats. Entering twice is as entering once.
func (l *Ledger) Enter(ctx context.Context, process, worker, runID string) error {
	_, err := l.pool.Exec(ctx, `
		INSERT INTO archive.processes (process, worker, run_id, started_at, heartbeat_at)
		VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp())
		ON CONFLICT (process) DO NOTHING`, process, worker, runID)
	return l.failed(fmt.Sprintf("enter run %q", runID), err)
}

// Beat is the process's sign of life. A process that was silent for the
// takeover time, or has left, is not revived: store.ErrProcessLost. It has a
// connection of its own.
func (l *Ledger) Beat(ctx context.Context, process string, counts store.RunCounts) error {
	tag, err := l.heartbeat.Exec(ctx, `
		UPDATE archive.processes SET heartbeat_at = clock_timestamp(), requests = $3
		WHERE process = $2 AND ended_at IS NULL AND heartbeat_at > clock_timestamp() - make_interval(secs => $1)`,
		store.TakeoverAfter.Seconds(), process, requestsOf(counts))
	if err == nil && tag.RowsAffected() == 0 {
		err = store.ErrProcessLost
	}
	return l.failed("heartbeat", err)
}

// Leave ends the process; its leases are free from then on. Leaving twice, or
// without having entered, is no error.
func (l *Ledger) Leave(ctx context.Context, process string, counts store.RunCounts) error {
	_, err := l.pool.Exec(ctx, `
		UPDATE archive.processes SET ended_at = clock_timestamp(), requests = $2
		WHERE process = $1 AND ended_at IS NULL`, process, requestsOf(counts))
	l.mu.Lock()
	delete(l.unanswered, process)
	l.mu.Unlock()
	return l.failed("leave", err)
}

// requestsOf is never nil, which the column refuses.
func requestsOf(counts store.RunCounts) map[string]int64 {
	if counts.Requests == nil {
		return map[string]int64{}
	}
	return counts.Requests
}
