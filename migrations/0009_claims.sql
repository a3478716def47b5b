-- +goose Up

-- A limit counts the users of one process, and needs no memory here.
ALTER TABLE archive.runs DROP COLUMN claimed;
ALTER TABLE archive.run_users DROP COLUMN claimed_at;
COMMENT ON TABLE archive.run_users IS 'The users selected by a backfill.';

-- Who is due is told by next_due_at alone.
DROP INDEX archive.subjects_ready_newest, archive.subjects_ready_longest, archive.subjects_coming_due;
ALTER TABLE archive.subjects DROP COLUMN ready;
-- Rows leave these indexes, or move to their end, when they are done, so that a
-- claim reads from their head however many users there are.
CREATE INDEX subjects_due_at_once ON archive.subjects ((coalesce(verified_at, first_seen_at)) DESC, subject)
    WHERE due_reason IN ('new', 'changed', 'returned') AND left_at IS NULL AND user_id IS NOT NULL;
CREATE INDEX subjects_due_in_time ON archive.subjects (next_due_at)
    WHERE due_reason IN ('retry', 'recheck') AND left_at IS NULL AND user_id IS NOT NULL;
COMMENT ON COLUMN archive.subjects.due_reason IS 'Why the user is, or will be, due: new, changed or returned, which is at once; retry or recheck, which is at next_due_at.';

-- +goose Down

DROP INDEX archive.subjects_due_at_once, archive.subjects_due_in_time;
ALTER TABLE archive.subjects ADD COLUMN ready boolean NOT NULL DEFAULT true;
UPDATE archive.subjects SET ready = false WHERE due_reason NOT IN ('new', 'changed', 'returned') OR next_due_at IS NULL;
ALTER TABLE archive.subjects ADD CHECK (NOT ready OR next_due_at IS NOT NULL);
CREATE INDEX subjects_ready_newest ON archive.subjects ((coalesce(verified_at, first_seen_at)) DESC, subject)
    WHERE ready AND left_at IS NULL AND user_id IS NOT NULL;
CREATE INDEX subjects_ready_longest ON archive.subjects (next_due_at)
    WHERE ready AND left_at IS NULL AND user_id IS NOT NULL AND state <> 'pending';
CREATE INDEX subjects_coming_due ON archive.subjects (next_due_at)
    WHERE NOT ready AND left_at IS NULL AND user_id IS NOT NULL AND next_due_at IS NOT NULL;
COMMENT ON COLUMN archive.subjects.ready IS 'True once the due time has come and a run may claim the user.';
COMMENT ON COLUMN archive.subjects.due_reason IS 'Why the user is, or will be, due: new, changed, returned, retry or recheck.';

ALTER TABLE archive.run_users ADD COLUMN claimed_at timestamptz;
COMMENT ON TABLE archive.run_users IS 'The users selected by a backfill, and those claimed by a run with a limit.';
COMMENT ON COLUMN archive.run_users.claimed_at IS 'When the run first claimed the user.';
ALTER TABLE archive.runs ADD COLUMN claimed bigint NOT NULL DEFAULT 0 CHECK (claimed >= 0);
COMMENT ON COLUMN archive.runs.claimed IS 'Distinct users claimed so far; kept only for runs with a limit.';
