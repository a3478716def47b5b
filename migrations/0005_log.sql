-- +goose Up

CREATE TABLE archive.log (
    only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    lease_process text,
    lease_token   bigint      NOT NULL DEFAULT 0,
    size          bigint      NOT NULL DEFAULT 0 CHECK (size >= 0),
    root          text COLLATE "C" NOT NULL DEFAULT '',
    etag          text COLLATE "C" NOT NULL DEFAULT '',
    sealed_at     timestamptz,
    CHECK ((size = 0) = (root = ''))
);
INSERT INTO archive.log DEFAULT VALUES;
COMMENT ON TABLE archive.log IS 'The evidence log as it was last known to be published, and who may extend it. One row.';
COMMENT ON COLUMN archive.log.only_row IS 'There is one log in a ledger.';
COMMENT ON COLUMN archive.log.lease_process IS 'The process that may extend the log; its right ends with its heartbeat.';
COMMENT ON COLUMN archive.log.lease_token IS 'Counts up with every lease; who shows an older one has lost the right.';
COMMENT ON COLUMN archive.log.size IS 'Entries under the last checkpoint; log_entries may already hold more.';
COMMENT ON COLUMN archive.log.root IS 'Root hash of the tree over them, in base64; empty before the first checkpoint.';
COMMENT ON COLUMN archive.log.etag IS 'ETag of the checkpoint object.';
COMMENT ON COLUMN archive.log.sealed_at IS 'When the checkpoint was noted here.';

CREATE TABLE archive.log_waiting (
    waiting_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256     text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    kind       text        NOT NULL CHECK (kind IN ('record', 'run')),
    key        text COLLATE "C" NOT NULL UNIQUE,
    added_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE archive.log_waiting IS 'Records and closed runs that have no place in the evidence log yet. A row is added with the record or at the end of the run, and moves to log_entries.';
COMMENT ON COLUMN archive.log_waiting.waiting_id IS 'Order of insertion, which is the order in the log.';
COMMENT ON COLUMN archive.log_waiting.sha256 IS 'As in log_entries.';
COMMENT ON COLUMN archive.log_waiting.kind IS 'record or run.';
COMMENT ON COLUMN archive.log_waiting.key IS 'As in log_entries.';
COMMENT ON COLUMN archive.log_waiting.added_at IS 'When it began to wait.';

INSERT INTO archive.log_waiting (sha256, kind, key)
SELECT r.sha256, 'record', r.key FROM archive.records AS r
WHERE NOT EXISTS (SELECT 1 FROM archive.log_entries AS e WHERE e.key = r.key)
ORDER BY r.archived_at, r.key;

ALTER TABLE archive.runs
    ADD COLUMN sums_key      text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN checkpoint_at timestamptz;
CREATE INDEX runs_without_checkpoint ON archive.runs (sums_key) WHERE checkpoint_at IS NULL AND sums_key <> '';
COMMENT ON COLUMN archive.runs.sums_key IS 'Object key of its SHA256SUMS; empty until it is closed.';
COMMENT ON COLUMN archive.runs.checkpoint_at IS 'When a checkpoint that covers the run was put beside its files.';

-- +goose Down

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM archive.log WHERE size > 0) THEN
        RAISE EXCEPTION 'the evidence log is published and its state is not dropped; to give it up on purpose, drop schema archive by hand'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
-- +goose StatementEnd

ALTER TABLE archive.runs DROP COLUMN sums_key, DROP COLUMN checkpoint_at;
DROP TABLE archive.log_waiting, archive.log;
