-- +goose Up

-- What programs write for "no date" is no time of a verification. It made the oldest
-- user wait since the year 1, and a year beyond 9999 cannot be written in a run's files.
UPDATE archive.subjects SET verified_at = NULL
WHERE verified_at < '2000-01-01 00:00:00+00' OR verified_at >= '2200-01-01 00:00:00+00';
ALTER TABLE archive.subjects ADD CONSTRAINT subjects_verified_at_check
    CHECK (verified_at >= '2000-01-01 00:00:00+00' AND verified_at < '2200-01-01 00:00:00+00');

ALTER TABLE archive.runs ADD COLUMN sync_undated bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN archive.runs.sync_undated IS 'Users whose verified_at is no time of a verification, such as 0001-01-01: it counts as unknown.';

-- +goose Down
ALTER TABLE archive.runs DROP COLUMN sync_undated;
ALTER TABLE archive.subjects DROP CONSTRAINT subjects_verified_at_check;
