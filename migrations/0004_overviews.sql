-- +goose Up

CREATE TABLE archive.classes (
    class     text COLLATE "C" PRIMARY KEY,
    transient boolean NOT NULL
);
INSERT INTO archive.classes (class, transient) VALUES
    ('no_identifier', false), ('unauthorized', true), ('forbidden', false), ('throttled', true), ('no_transaction', false),
    ('shared_transaction', false), ('vendor_error', true), ('timeout', true), ('network', true), ('bad_payload', true),
    ('not_an_image', false), ('too_large', false), ('gone', false), ('storage_denied', true), ('storage_error', true),
    ('conflict', false), ('internal', true);
COMMENT ON TABLE archive.classes IS 'The failure classes, for people who read the ledger with SQL.';
COMMENT ON COLUMN archive.classes.class IS 'The failure class.';
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

CREATE VIEW archive.failures AS
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

CREATE VIEW archive.run_overview AS
SELECT r.run_id, r.kind, r.status, r.started_at, r.ended_at, r.sync_users,
       coalesce(o.users, 0)     AS users,
       coalesce(o.archived, 0)  AS archived,
       coalesce(o.unchanged, 0) AS unchanged,
       coalesce(o.partial, 0)   AS partial,
       coalesce(o.no_images, 0) AS no_images,
       coalesce(o.not_found, 0) AS not_found,
       coalesce(o.failed, 0)    AS failed,
       coalesce(o.requests, 0)  AS requests,
       (SELECT count(*) FROM archive.images AS i WHERE i.run_id = r.run_id AND i.state = 'stored') AS images,
       coalesce(o.bytes, 0)     AS bytes
FROM archive.runs AS r
LEFT JOIN LATERAL (
    SELECT count(*)                                        AS users,
           count(*) FILTER (WHERE x.outcome = 'archived')  AS archived,
           count(*) FILTER (WHERE x.outcome = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE x.outcome = 'partial')   AS partial,
           count(*) FILTER (WHERE x.outcome = 'no_images') AS no_images,
           count(*) FILTER (WHERE x.outcome = 'not_found') AS not_found,
           count(*) FILTER (WHERE x.outcome = 'failed')    AS failed,
           sum(x.requests)::bigint                         AS requests,
           sum(x.bytes)::bigint                            AS bytes
    FROM archive.outcomes AS x
    WHERE x.run_id = r.run_id
) AS o ON true;
COMMENT ON VIEW archive.run_overview IS 'A line per run: users are the sum over the outcomes.';
COMMENT ON COLUMN archive.run_overview.run_id IS 'The run.';
COMMENT ON COLUMN archive.run_overview.kind IS 'scheduled, manual or backfill.';
COMMENT ON COLUMN archive.run_overview.status IS 'open, closed or interrupted.';
COMMENT ON COLUMN archive.run_overview.started_at IS 'When it was created.';
COMMENT ON COLUMN archive.run_overview.ended_at IS 'When it was closed.';
COMMENT ON COLUMN archive.run_overview.sync_users IS 'Rows of the user query.';
COMMENT ON COLUMN archive.run_overview.users IS 'Users with an outcome.';
COMMENT ON COLUMN archive.run_overview.archived IS 'Every listed image stored, something new.';
COMMENT ON COLUMN archive.run_overview.unchanged IS 'Every listed image stored before.';
COMMENT ON COLUMN archive.run_overview.partial IS 'Some images stored, some not.';
COMMENT ON COLUMN archive.run_overview.no_images IS 'The listing was empty.';
COMMENT ON COLUMN archive.run_overview.not_found IS 'Vlens knows no such user.';
COMMENT ON COLUMN archive.run_overview.failed IS 'Nothing stored.';
COMMENT ON COLUMN archive.run_overview.requests IS 'Requests to Vlens for these users.';
COMMENT ON COLUMN archive.run_overview.images IS 'Images stored.';
COMMENT ON COLUMN archive.run_overview.bytes IS 'Bytes of these images.';

CREATE VIEW archive.current_images AS
SELECT i.image_id, i.subject, i.transaction_id, i.kind, i.ref, i.state, i.class, i.key, i.version_id, i.etag, i.bytes,
       i.media_type, i.width, i.height, i.sha256, i.flags, i.run_id, i.fetched_at
FROM archive.images AS i
WHERE i.state = 'stored'
   OR NOT EXISTS (
       SELECT 1 FROM archive.images AS later
       WHERE later.subject = i.subject AND later.transaction_id = i.transaction_id
         AND later.kind = i.kind AND later.image_id > i.image_id);
COMMENT ON VIEW archive.current_images IS 'What is known of each image now: everything stored, and a finding that nothing later replaced. Columns as in images.';

-- +goose Down

DROP VIEW archive.current_images;
DROP VIEW archive.run_overview;
DROP VIEW archive.failures;
DROP VIEW archive.coverage;
DROP TABLE archive.classes;
