-- +goose Up

-- A process of the release before would go on writing what this migration ends.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM archive.processes AS p WHERE p.ended_at IS NULL AND p.heartbeat_at > now() - interval '60 seconds') THEN
        RAISE EXCEPTION 'a process of the release before works on this ledger; stop it (suspend the CronJob, scale schedule to nothing), or wait until its run has ended, and migrate a minute later'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
-- +goose StatementEnd

ALTER TABLE archive.subjects
    ADD COLUMN newest_transaction text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN unlisted_at        timestamptz,
    ADD COLUMN settled            boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN archive.subjects.state IS 'pending until the first outcome, then where the newest verification stands: archived (every listed image is stored), partial or failed; or no_images or not_found, of whom nothing is stored.';
COMMENT ON COLUMN archive.subjects.last_class IS 'Failure class of the last outcome; of failed and partial users always why.';
COMMENT ON COLUMN archive.subjects.settled IS 'True when trying again soon cannot change how the last outcome ended, or what failed and partial users lack: they are looked at slowly.';
COMMENT ON COLUMN archive.subjects.archived_at IS 'When the attempt began that last found the user completely archived, whatever has become of a newer verification.';
COMMENT ON COLUMN archive.subjects.next_due_at IS 'When the user is due again; null only of archived users who are not rechecked.';
COMMENT ON COLUMN archive.subjects.newest_transaction IS 'The newest verification: the folder that the last answered listing with references belongs to; empty while there was none.';
COMMENT ON COLUMN archive.subjects.unlisted_at IS 'Since when Vlens no longer lists a user of whom something is stored, or known to be missing; null while it does.';

ALTER TABLE archive.outcomes ADD COLUMN state text NOT NULL DEFAULT '';
COMMENT ON COLUMN archive.outcomes.outcome IS 'archived, unchanged, partial, no_images, not_found or failed.';
COMMENT ON COLUMN archive.outcomes.class IS 'Failure class of failed and partial, and of unchanged when what is missing was settled before.';
COMMENT ON COLUMN archive.outcomes.state IS 'The state in which the outcome left the user; empty in rows older than this column.';

ALTER TABLE archive.images ADD COLUMN found_at timestamptz;
ALTER TABLE archive.images ALTER COLUMN found_at SET DEFAULT now();
COMMENT ON COLUMN archive.images.found_at IS 'When this was found; null in rows older than this column.';

ALTER TABLE archive.classes RENAME COLUMN transient TO settled;
UPDATE archive.classes SET settled = NOT settled;
COMMENT ON COLUMN archive.classes.settled IS 'True when trying again soon cannot mend it: such users are looked at again slowly. All others may pass by themselves.';

-- Replaced, not dropped, with new columns at the end: grants stay.
CREATE OR REPLACE VIEW archive.coverage AS
SELECT s.state,
       count(*)                                                  AS users,
       count(*) FILTER (WHERE s.left_at IS NOT NULL)             AS users_left,
       min(coalesce(s.verified_at, s.first_seen_at)) FILTER (WHERE s.state = 'pending' AND s.left_at IS NULL) AS oldest_pending_at,
       count(*) FILTER (WHERE s.unlisted_at IS NOT NULL)         AS users_unlisted
FROM archive.subjects AS s
GROUP BY s.state;
COMMENT ON COLUMN archive.coverage.state IS 'Where the users'' newest verifications stand.';
COMMENT ON COLUMN archive.coverage.users_unlisted IS 'Of these, how many Vlens no longer lists.';

CREATE OR REPLACE VIEW archive.failures AS
SELECT s.last_class        AS class,
       CASE WHEN s.settled THEN 'settled' ELSE 'transient' END AS lasting,
       count(*)            AS users,
       min(coalesce(s.verified_at, s.first_seen_at)) AS oldest_at
FROM archive.subjects AS s
WHERE s.state IN ('failed', 'partial')
GROUP BY s.last_class, s.settled;
COMMENT ON VIEW archive.failures IS 'Users of whose newest verification something is missing, by the class of their last outcome.';
COMMENT ON COLUMN archive.failures.lasting IS 'transient: may pass by itself and is tried again soon; settled: is looked at again slowly. A class may have a row of each.';

COMMENT ON COLUMN archive.run_overview.unchanged IS 'Nothing new could be stored: every listed image was stored before, or what is missing was settled before.';

-- Ledgers from before these columns. Until now a user once archived stayed
-- archived, whatever became of a newer verification, and who failed for good was
-- never due again.
CREATE TEMPORARY TABLE standing ON COMMIT DROP AS
WITH listed AS (
    SELECT DISTINCT ON (o.subject) o.subject, o.transaction_id, o.outcome, o.class
    FROM archive.outcomes AS o
    WHERE o.transaction_id <> '' AND o.outcome NOT IN ('no_images', 'not_found')
    ORDER BY o.subject, o.ended_at DESC
), recorded AS (
    SELECT DISTINCT ON (r.subject) r.subject, r.transaction_id
    FROM archive.records AS r
    ORDER BY r.subject, r.archived_at DESC, r.sequence DESC
)
SELECT s.subject,
       coalesce(l.transaction_id, r.transaction_id) AS newest,
       l.class,
       -- One archived with this very verification lacks at most what a backfill
       -- fetched again in vain.
       coalesce(l.outcome IN ('partial', 'failed') AND NOT EXISTS (
           SELECT 1 FROM archive.outcomes AS o
           WHERE o.subject = s.subject AND o.transaction_id = l.transaction_id AND o.outcome IN ('archived', 'unchanged')), false) AS lacks
FROM archive.subjects AS s
LEFT JOIN listed AS l ON l.subject = s.subject
LEFT JOIN recorded AS r ON r.subject = s.subject
WHERE l.subject IS NOT NULL OR r.subject IS NOT NULL;

UPDATE archive.subjects AS s SET newest_transaction = p.newest
FROM pg_temp.standing AS p WHERE p.subject = s.subject;

-- Of the newest verification something is missing: that shows, and is tried again.
UPDATE archive.subjects AS s
SET state      = CASE WHEN EXISTS (
                     SELECT 1 FROM archive.images AS i
                     WHERE i.subject = s.subject AND i.transaction_id = p.newest AND i.state = 'stored') THEN 'partial' ELSE 'failed' END,
    last_class = CASE WHEN s.last_class = '' THEN p.class ELSE s.last_class END,
    attempts   = 0,
    next_due_at = now(),
    due_reason  = CASE WHEN s.due_reason = 'recheck' THEN 'retry' ELSE s.due_reason END
FROM pg_temp.standing AS p
WHERE p.subject = s.subject AND p.lacks AND s.state = 'archived';

-- One who was partial with an earlier verification and now has nothing of the newest.
UPDATE archive.subjects AS s SET state = 'failed'
FROM pg_temp.standing AS p
WHERE p.subject = s.subject AND p.lacks AND s.state = 'partial'
  AND NOT EXISTS (
      SELECT 1 FROM archive.images AS i
      WHERE i.subject = s.subject AND i.transaction_id = p.newest AND i.state = 'stored');

-- Archived users whom Vlens no longer lists.
UPDATE archive.subjects AS s SET unlisted_at = o.ended_at
FROM archive.outcomes AS o
WHERE o.run_id = s.last_run_id AND o.subject = s.subject AND o.outcome IN ('no_images', 'not_found')
  AND s.state IN ('archived', 'partial', 'failed');

-- Failed and partial users always have a class: that of the last outcome with one.
UPDATE archive.subjects AS s
SET last_class = coalesce((
        SELECT o.class FROM archive.outcomes AS o
        WHERE o.subject = s.subject AND o.class <> ''
        ORDER BY o.ended_at DESC LIMIT 1), 'internal')
WHERE s.state IN ('failed', 'partial') AND s.last_class = '';

-- Until now "gone" was believed at once, of an image. Of a listing it may pass.
UPDATE archive.subjects AS s SET settled = true
WHERE s.state IN ('no_images', 'not_found') OR s.unlisted_at IS NOT NULL
   OR s.last_class IN (SELECT c.class FROM archive.classes AS c WHERE c.settled)
      AND (s.last_class <> 'gone' OR EXISTS (
          SELECT 1 FROM archive.images AS i
          WHERE i.subject = s.subject AND i.transaction_id = s.newest_transaction AND i.state = 'gone'));

-- Whoever was given up for good is due within a day, not all at once.
UPDATE archive.subjects AS s
SET next_due_at = now() + interval '1 day' * (('x' || substr(md5(s.subject), 1, 8))::bit(32)::bigint / 4294967296.0)
WHERE s.next_due_at IS NULL AND s.due_reason = 'retry';

-- +goose Down

UPDATE archive.subjects AS s
SET state = CASE WHEN s.archived_at IS NOT NULL THEN 'archived' ELSE 'partial' END
WHERE s.state IN ('failed', 'partial')
  AND (s.archived_at IS NOT NULL OR EXISTS (
      SELECT 1 FROM archive.images AS i WHERE i.subject = s.subject AND i.state = 'stored'));

DROP VIEW archive.coverage;
ALTER TABLE archive.classes RENAME COLUMN settled TO transient;
UPDATE archive.classes SET transient = NOT transient;
COMMENT ON COLUMN archive.classes.transient IS 'True when it is tried again by itself; false when it waits for a change of the row or a backfill.';

CREATE VIEW archive.coverage AS
SELECT s.state,
       count(*)                                                  AS users,
       count(*) FILTER (WHERE s.left_at IS NOT NULL)             AS users_left,
       min(coalesce(s.verified_at, s.first_seen_at)) FILTER (WHERE s.state = 'pending' AND s.left_at IS NULL) AS oldest_pending_at
FROM archive.subjects AS s
GROUP BY s.state;
COMMENT ON VIEW archive.coverage IS 'Users by state: the sum over the rows is all users.';
COMMENT ON COLUMN archive.coverage.state IS 'Where the users stand.';
COMMENT ON COLUMN archive.coverage.users IS 'How many.';
COMMENT ON COLUMN archive.coverage.users_left IS 'Of these, how many the user query no longer has.';
COMMENT ON COLUMN archive.coverage.oldest_pending_at IS 'When the user who waits longest was verified, or first seen.';

CREATE OR REPLACE VIEW archive.failures AS
SELECT s.last_class        AS class,
       CASE WHEN c.transient THEN 'transient' ELSE 'permanent' END AS lasting,
       count(*)            AS users,
       min(coalesce(s.verified_at, s.first_seen_at)) AS oldest_at
FROM archive.subjects AS s
LEFT JOIN archive.classes AS c ON c.class = s.last_class
WHERE s.state IN ('failed', 'partial')
GROUP BY s.last_class, c.transient;
COMMENT ON VIEW archive.failures IS 'Users who are failed or partial, by the class of their last outcome.';
COMMENT ON COLUMN archive.failures.class IS 'The failure class.';
COMMENT ON COLUMN archive.failures.lasting IS 'transient: tried again by itself; permanent: waits for a change of the row or a backfill.';
COMMENT ON COLUMN archive.failures.users IS 'How many users.';
COMMENT ON COLUMN archive.failures.oldest_at IS 'When the first of them was verified, or first seen.';

COMMENT ON COLUMN archive.run_overview.unchanged IS 'Every listed image stored before.';
ALTER TABLE archive.images DROP COLUMN found_at;
ALTER TABLE archive.outcomes DROP COLUMN state;
COMMENT ON COLUMN archive.outcomes.class IS 'Failure class of failed and partial.';
ALTER TABLE archive.subjects DROP COLUMN settled, DROP COLUMN unlisted_at, DROP COLUMN newest_transaction;
COMMENT ON COLUMN archive.subjects.state IS 'pending until the first outcome, then archived, partial, no_images, not_found or failed. Once archived, always archived.';
COMMENT ON COLUMN archive.subjects.last_class IS 'Failure class of the last outcome; empty when it had none.';
COMMENT ON COLUMN archive.subjects.archived_at IS 'When the user was last found completely archived.';
COMMENT ON COLUMN archive.subjects.next_due_at IS 'When the user is due again; null means not until the row changes.';
