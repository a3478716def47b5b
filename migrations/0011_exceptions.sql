-- +goose Up

-- Statements say of which ledger they are: a bucket may outlive several.
ALTER TABLE archive.archive ADD COLUMN ledger_id uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN archive.archive.ledger_id IS 'Random name of this ledger. Statements in the bucket name it; those of another ledger need no row here.';

CREATE TABLE archive.exceptions (
    exception_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject        text COLLATE "C" NOT NULL CHECK (subject ~ '^[a-z2-7]{26}$'),
    transaction_id text COLLATE "C" NOT NULL,
    verified_at    timestamptz,
    class          text        NOT NULL CHECK (class <> ''),
    act            text        NOT NULL CHECK (act IN ('accepted', 'withdrawn')),
    reason         text        NOT NULL CHECK (reason <> ''),
    actor          text        NOT NULL CHECK (actor <> ''),
    at             timestamptz NOT NULL,
    audit_key      text COLLATE "C" NOT NULL CHECK (audit_key <> ''),
    audit_sha256   text COLLATE "C" NOT NULL CHECK (audit_sha256 ~ '^[0-9a-f]{64}$'),
    UNIQUE (audit_key, subject)
);
CREATE INDEX exceptions_by_verification ON archive.exceptions (subject, transaction_id, class, at, exception_id);
COMMENT ON TABLE archive.exceptions IS 'History: settled failures that a person accepted, or no longer accepts. Insert only: a withdrawal is a row of its own, and the newest row of a subject, transaction and class counts. Which of them hold now is in archive.accepted.';
COMMENT ON COLUMN archive.exceptions.exception_id IS 'Order of insertion.';
COMMENT ON COLUMN archive.exceptions.subject IS 'Whose failure.';
COMMENT ON COLUMN archive.exceptions.transaction_id IS 'The newest verification of the user at that time, as in images; where no listing had named one, and with no_transaction, shared_transaction and no_identifier, the one that the user''s row named, empty when it named none.';
COMMENT ON COLUMN archive.exceptions.verified_at IS 'Where transaction_id is that of the user''s row: its verified_at at that time.';
COMMENT ON COLUMN archive.exceptions.class IS 'The failure class.';
COMMENT ON COLUMN archive.exceptions.act IS 'accepted, or withdrawn.';
COMMENT ON COLUMN archive.exceptions.reason IS 'The reason that was given.';
COMMENT ON COLUMN archive.exceptions.actor IS 'The person who did it, as named with --actor.';
COMMENT ON COLUMN archive.exceptions.at IS 'When, by the clock of this database.';
COMMENT ON COLUMN archive.exceptions.audit_key IS 'Object key of the statement in the bucket; one statement may be of many users.';
COMMENT ON COLUMN archive.exceptions.audit_sha256 IS 'SHA-256 of the statement in the bucket.';
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.exceptions FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change();

-- The one place that says which exceptions hold. It goes from the exceptions, which
-- are few, to their users.
CREATE VIEW archive.accepted AS
SELECT e.exception_id, e.subject, s.user_id, s.state, e.transaction_id, e.verified_at, e.class, e.reason, e.actor, e.at, e.audit_key
FROM archive.exceptions AS e
JOIN archive.subjects AS s ON s.subject = e.subject
WHERE e.act = 'accepted'
  AND s.state IN ('failed', 'partial')
  AND s.settled AND s.last_class = e.class
  AND CASE WHEN s.newest_transaction = '' OR e.class IN ('no_transaction', 'shared_transaction', 'no_identifier')
           THEN coalesce(s.transaction_id::text, '') = e.transaction_id AND e.verified_at IS NOT DISTINCT FROM s.verified_at
           ELSE s.newest_transaction = e.transaction_id END
  AND NOT EXISTS (
      SELECT 1 FROM archive.exceptions AS later
      WHERE later.subject = e.subject AND later.transaction_id = e.transaction_id AND later.class = e.class
        AND (later.at, later.exception_id) > (e.at, e.exception_id));
COMMENT ON VIEW archive.accepted IS 'The exceptions that hold now, one per user at most: the user''s newest verification, and the class it fails with, are still those that were accepted. While no listing has named a verification, and where what is missing is the name (no_transaction, shared_transaction, no_identifier), transaction_id and verified_at of the row must be.';
COMMENT ON COLUMN archive.accepted.exception_id IS 'As in exceptions.';
COMMENT ON COLUMN archive.accepted.subject IS 'Whose failure.';
COMMENT ON COLUMN archive.accepted.user_id IS 'The id as the user query gives it; null when it is no longer known.';
COMMENT ON COLUMN archive.accepted.state IS 'Where the user stands: failed or partial.';
COMMENT ON COLUMN archive.accepted.transaction_id IS 'As in exceptions.';
COMMENT ON COLUMN archive.accepted.verified_at IS 'As in exceptions.';
COMMENT ON COLUMN archive.accepted.class IS 'The failure class.';
COMMENT ON COLUMN archive.accepted.reason IS 'As in exceptions.';
COMMENT ON COLUMN archive.accepted.actor IS 'As in exceptions.';
COMMENT ON COLUMN archive.accepted.at IS 'As in exceptions.';
COMMENT ON COLUMN archive.accepted.audit_key IS 'As in exceptions.';

CREATE OR REPLACE VIEW archive.failures AS
SELECT s.last_class        AS class,
       CASE WHEN s.settled THEN 'settled' ELSE 'transient' END AS lasting,
       count(*)            AS users,
       min(coalesce(s.verified_at, s.first_seen_at)) AS oldest_at
FROM archive.subjects AS s
WHERE s.state IN ('failed', 'partial') AND NOT EXISTS (SELECT 1 FROM archive.accepted AS a WHERE a.subject = s.subject)
GROUP BY s.last_class, s.settled;
COMMENT ON VIEW archive.failures IS 'Users of whose newest verification something is missing, by the class of their last outcome; without those whose failure a person has accepted.';

-- Statements get their place in the log, as records and runs do.
ALTER TABLE archive.log_entries DROP CONSTRAINT log_entries_kind_check,
    ADD CONSTRAINT log_entries_kind_check CHECK (kind IN ('record', 'run', 'statement'));
ALTER TABLE archive.log_waiting DROP CONSTRAINT log_waiting_kind_check,
    ADD CONSTRAINT log_waiting_kind_check CHECK (kind IN ('record', 'run', 'statement'));
COMMENT ON COLUMN archive.log_entries.sha256 IS 'SHA-256 of the exact bytes of a record or of a statement, or of a run''s SHA256SUMS.';
COMMENT ON COLUMN archive.log_entries.kind IS 'record, run or statement.';
COMMENT ON COLUMN archive.log_entries.key IS 'Object key of the record, of SHA256SUMS or of the statement.';
COMMENT ON TABLE archive.log_waiting IS 'Records, closed runs and statements that have no place in the evidence log yet. A row is added with the record, at the end of the run or with the exceptions of the statement, and moves to log_entries.';
COMMENT ON COLUMN archive.log_waiting.kind IS 'record, run or statement.';

-- +goose Down

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM archive.exceptions) THEN
        RAISE EXCEPTION 'the ledger holds exceptions, which are history, and they are not dropped; to give them up on purpose, drop schema archive by hand'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
-- +goose StatementEnd

CREATE OR REPLACE VIEW archive.failures AS
SELECT s.last_class        AS class,
       CASE WHEN s.settled THEN 'settled' ELSE 'transient' END AS lasting,
       count(*)            AS users,
       min(coalesce(s.verified_at, s.first_seen_at)) AS oldest_at
FROM archive.subjects AS s
WHERE s.state IN ('failed', 'partial')
GROUP BY s.last_class, s.settled;
COMMENT ON VIEW archive.failures IS 'Users of whose newest verification something is missing, by the class of their last outcome.';
DROP VIEW archive.accepted;
DROP TABLE archive.exceptions;
ALTER TABLE archive.log_entries DROP CONSTRAINT log_entries_kind_check,
    ADD CONSTRAINT log_entries_kind_check CHECK (kind IN ('record', 'run'));
ALTER TABLE archive.log_waiting DROP CONSTRAINT log_waiting_kind_check,
    ADD CONSTRAINT log_waiting_kind_check CHECK (kind IN ('record', 'run'));
COMMENT ON COLUMN archive.log_entries.sha256 IS 'SHA-256 of a record''s exact bytes, or of a run''s SHA256SUMS.';
COMMENT ON COLUMN archive.log_entries.kind IS 'record or run.';
COMMENT ON COLUMN archive.log_entries.key IS 'Object key of the record or of SHA256SUMS.';
COMMENT ON TABLE archive.log_waiting IS 'Records and closed runs that have no place in the evidence log yet. A row is added with the record or at the end of the run, and moves to log_entries.';
COMMENT ON COLUMN archive.log_waiting.kind IS 'record or run.';
ALTER TABLE archive.archive DROP COLUMN ledger_id;
