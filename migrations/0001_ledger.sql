-- +goose Up

-- Text that is compared byte by byte has collation "C": ids and keys are no
-- words, and an index on them must not depend on the system's locale data.

COMMENT ON SCHEMA archive IS 'The audit ledger of vlens-archiver: who was archived, what, when, and what is missing. Holds no email, phone, name or vendor file name.';

CREATE TABLE archive.archive (
    only_row       boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    layout_version integer     NOT NULL,
    origin         text        NOT NULL,
    tenancy_name   text        NOT NULL,
    key_check      text        NOT NULL,
    place          text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE archive.archive IS 'Which archive this ledger belongs to: the copy of archive.json in the bucket.';
COMMENT ON COLUMN archive.archive.only_row IS 'Always true: the table has one row.';
COMMENT ON COLUMN archive.archive.layout_version IS 'Version of the bucket layout and of the formats in it.';
COMMENT ON COLUMN archive.archive.origin IS 'Origin of the evidence log.';
COMMENT ON COLUMN archive.archive.tenancy_name IS 'The tenant at Vlens.';
COMMENT ON COLUMN archive.archive.key_check IS 'HMAC of a fixed text with the subject key: another key is noticed before anything is filed.';
COMMENT ON COLUMN archive.archive.place IS 'Bucket and prefix that the archive stands in.';
COMMENT ON COLUMN archive.archive.created_at IS 'When the first run opened the archive.';

CREATE TABLE archive.runs (
    run_id         text COLLATE "C" PRIMARY KEY CHECK (run_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    kind           text        NOT NULL CHECK (kind IN ('scheduled', 'manual', 'backfill')),
    status         text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed', 'interrupted')),
    started_at     timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz,
    selection      jsonb       NOT NULL DEFAULT '{}',
    tool_version   text        NOT NULL DEFAULT '',
    config_sha256  text        NOT NULL DEFAULT '',
    claimed        bigint      NOT NULL DEFAULT 0 CHECK (claimed >= 0),
    close_process  text,
    sync_process   text,
    synced_at      timestamptz,
    sync_users     bigint      NOT NULL DEFAULT 0,
    sync_new       bigint      NOT NULL DEFAULT 0,
    sync_changed   bigint      NOT NULL DEFAULT 0,
    sync_returned  bigint      NOT NULL DEFAULT 0,
    sync_left      bigint      NOT NULL DEFAULT 0,
    sync_left_held bigint      NOT NULL DEFAULT 0,
    CHECK ((status = 'open') = (ended_at IS NULL))
);
CREATE INDEX runs_by_start ON archive.runs (started_at DESC);
CREATE INDEX runs_open ON archive.runs (run_id) WHERE status = 'open';
COMMENT ON TABLE archive.runs IS 'One bounded period of work; one or more processes take part.';
COMMENT ON COLUMN archive.runs.run_id IS 'Name of the run.';
COMMENT ON COLUMN archive.runs.kind IS 'Who asked for it: scheduled, manual or backfill.';
COMMENT ON COLUMN archive.runs.status IS 'open, closed (its files are written) or interrupted (closed later by another process).';
COMMENT ON COLUMN archive.runs.started_at IS 'When the run was created, by the clock of this database.';
COMMENT ON COLUMN archive.runs.ended_at IS 'When the run was closed; null while it is open.';
COMMENT ON COLUMN archive.runs.selection IS 'Which users it may claim; {} means every user who is due. User ids are in run_users.';
COMMENT ON COLUMN archive.runs.tool_version IS 'Version of the program that created it.';
COMMENT ON COLUMN archive.runs.config_sha256 IS 'SHA-256 of the configuration without secrets, in hex.';
COMMENT ON COLUMN archive.runs.claimed IS 'Distinct users claimed so far; kept only for runs with a limit.';
COMMENT ON COLUMN archive.runs.close_process IS 'The process that holds, or held, the right to write the run files.';
COMMENT ON COLUMN archive.runs.sync_process IS 'The process that reads, or read, the user query for the run.';
COMMENT ON COLUMN archive.runs.synced_at IS 'When the user query was merged; null before.';
COMMENT ON COLUMN archive.runs.sync_users IS 'Rows of the user query.';
COMMENT ON COLUMN archive.runs.sync_new IS 'Users seen for the first time.';
COMMENT ON COLUMN archive.runs.sync_changed IS 'Users whose verified_at or transaction_id changed.';
COMMENT ON COLUMN archive.runs.sync_returned IS 'Users who had left and are there again.';
COMMENT ON COLUMN archive.runs.sync_left IS 'Users marked left.';
COMMENT ON COLUMN archive.runs.sync_left_held IS 'Users who are missing but were not marked left, because they are suspiciously many.';

CREATE TABLE archive.processes (
    process      text COLLATE "C" PRIMARY KEY,
    worker       text        NOT NULL,
    run_id       text COLLATE "C" REFERENCES archive.runs (run_id),
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    requests     jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX processes_live ON archive.processes (run_id, process) WHERE ended_at IS NULL;
CREATE INDEX processes_by_run ON archive.processes (run_id);
COMMENT ON TABLE archive.processes IS 'Running and past instances of the program. A lease is free when its process has ended or is silent.';
COMMENT ON COLUMN archive.processes.process IS 'Worker name and a random part.';
COMMENT ON COLUMN archive.processes.worker IS 'Worker name, as the operator gave it.';
COMMENT ON COLUMN archive.processes.run_id IS 'The run it takes part in.';
COMMENT ON COLUMN archive.processes.started_at IS 'When it entered.';
COMMENT ON COLUMN archive.processes.heartbeat_at IS 'Its last sign of life, by the clock of this database.';
COMMENT ON COLUMN archive.processes.ended_at IS 'When it left in good order; null while it runs, and for ever after a crash.';
COMMENT ON COLUMN archive.processes.requests IS 'Requests it sent to Vlens, by endpoint.';

CREATE TABLE archive.subjects (
    subject       text COLLATE "C" PRIMARY KEY CHECK (subject ~ '^[a-z2-7]{26}$'),
    user_id       text COLLATE "C" UNIQUE,
    state         text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'archived', 'partial', 'no_images', 'not_found', 'failed')),
    last_class    text        NOT NULL DEFAULT '',
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    verified_at   timestamptz,
    transaction_id uuid,
    left_at       timestamptz,
    archived_at   timestamptz,
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_due_at   timestamptz DEFAULT now(),
    due_reason    text        NOT NULL DEFAULT 'new' CHECK (due_reason IN ('new', 'changed', 'returned', 'retry', 'recheck')),
    ready         boolean     NOT NULL DEFAULT true,
    row_version   integer     NOT NULL DEFAULT 0,
    lease_process text COLLATE "C",
    lease_token   bigint      NOT NULL DEFAULT 0,
    lease_run     text COLLATE "C",
    lease_version integer     NOT NULL DEFAULT 0,
    last_run_id   text COLLATE "C",
    CHECK (NOT ready OR next_due_at IS NOT NULL)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
-- Rows leave these indexes when they are done, so that a claim reads from
-- their head however many users there are. Each holds a row's next place only.
CREATE INDEX subjects_ready_newest ON archive.subjects ((coalesce(verified_at, first_seen_at)) DESC, subject)
    WHERE ready AND left_at IS NULL AND user_id IS NOT NULL;
CREATE INDEX subjects_ready_longest ON archive.subjects (next_due_at)
    WHERE ready AND left_at IS NULL AND user_id IS NOT NULL AND state <> 'pending';
CREATE INDEX subjects_coming_due ON archive.subjects (next_due_at)
    WHERE NOT ready AND left_at IS NULL AND user_id IS NOT NULL AND next_due_at IS NOT NULL;
CREATE INDEX subjects_leased ON archive.subjects (lease_process) WHERE lease_process IS NOT NULL;
CREATE INDEX subjects_failing ON archive.subjects (last_class, state) WHERE state IN ('failed', 'partial');
COMMENT ON TABLE archive.subjects IS 'Where every user stands over all runs.';
COMMENT ON COLUMN archive.subjects.subject IS 'Pseudonym of the user: HMAC of the user id, 26 characters of base32.';
COMMENT ON COLUMN archive.subjects.user_id IS 'The id as the user query gives it; null when it is no longer known, after a rebuild from the bucket.';
COMMENT ON COLUMN archive.subjects.state IS 'pending until the first outcome, then archived, partial, no_images, not_found or failed. Once archived, always archived.';
COMMENT ON COLUMN archive.subjects.last_class IS 'Failure class of the last outcome; empty when it had none.';
COMMENT ON COLUMN archive.subjects.first_seen_at IS 'When the user query first had the user.';
COMMENT ON COLUMN archive.subjects.verified_at IS 'When the user was verified, as the user query says.';
COMMENT ON COLUMN archive.subjects.transaction_id IS 'The verification at Vlens, as the user query says.';
COMMENT ON COLUMN archive.subjects.left_at IS 'When the user query no longer had the user; null while it has.';
COMMENT ON COLUMN archive.subjects.archived_at IS 'When the user was last found completely archived.';
COMMENT ON COLUMN archive.subjects.attempts IS 'Attempts without success in a row.';
COMMENT ON COLUMN archive.subjects.next_due_at IS 'When the user is due again; null means not until the row changes.';
COMMENT ON COLUMN archive.subjects.due_reason IS 'Why the user is, or will be, due: new, changed, returned, retry or recheck.';
COMMENT ON COLUMN archive.subjects.ready IS 'True once the due time has come and a run may claim the user.';
COMMENT ON COLUMN archive.subjects.row_version IS 'Grows with every change of the row of the user query.';
COMMENT ON COLUMN archive.subjects.lease_process IS 'The process that works, or worked, on the user; null when nobody does.';
COMMENT ON COLUMN archive.subjects.lease_token IS 'Drawn anew with every lease; a commit must show it.';
COMMENT ON COLUMN archive.subjects.lease_run IS 'The run of the lease.';
COMMENT ON COLUMN archive.subjects.lease_version IS 'row_version when the lease was given: a row that changed since stays due.';
COMMENT ON COLUMN archive.subjects.last_run_id IS 'The run of the last outcome.';

CREATE TABLE archive.run_users (
    run_id     text COLLATE "C" NOT NULL REFERENCES archive.runs (run_id),
    user_id    text COLLATE "C" NOT NULL,
    given      integer,
    place      bigint,
    claimed_at timestamptz,
    done_at    timestamptz,
    PRIMARY KEY (run_id, user_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX run_users_open ON archive.run_users (run_id, place) WHERE done_at IS NULL;
COMMENT ON TABLE archive.run_users IS 'The users selected by a backfill, and those claimed by a run with a limit.';
COMMENT ON COLUMN archive.run_users.run_id IS 'The run.';
COMMENT ON COLUMN archive.run_users.user_id IS 'The user.';
COMMENT ON COLUMN archive.run_users.given IS 'Position in the list of ids that was given, from 1; null when a filter chose the user.';
COMMENT ON COLUMN archive.run_users.place IS 'Order in which the run takes its users: the newest first.';
COMMENT ON COLUMN archive.run_users.claimed_at IS 'When the run first claimed the user.';
COMMENT ON COLUMN archive.run_users.done_at IS 'When the user had an outcome in the run.';

CREATE TABLE archive.transactions (
    transaction_id text COLLATE "C" PRIMARY KEY,
    subject        text COLLATE "C" NOT NULL,
    reserved_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX transactions_by_subject ON archive.transactions (subject);
COMMENT ON TABLE archive.transactions IS 'Under whom a transaction is filed: two users who share a number must not share a face.';
COMMENT ON COLUMN archive.transactions.transaction_id IS 'The verification at Vlens; lower-case UUID.';
COMMENT ON COLUMN archive.transactions.subject IS 'The subject it belongs to.';
COMMENT ON COLUMN archive.transactions.reserved_at IS 'When the subject got it.';

CREATE TABLE archive.images (
    image_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject        text COLLATE "C" NOT NULL CHECK (subject ~ '^[a-z2-7]{26}$'),
    transaction_id text COLLATE "C" NOT NULL,
    kind           text        NOT NULL CHECK (kind IN ('id_front', 'id_back', 'liveness', 'face_1', 'face_2', 'face_3')),
    ref            text COLLATE "C" NOT NULL DEFAULT '' CHECK (ref ~ '^([0-9a-f]{32})?$'),
    state          text        NOT NULL CHECK (state IN ('stored', 'absent', 'gone', 'rejected', 'failed')),
    class          text        NOT NULL DEFAULT '',
    key            text COLLATE "C" NOT NULL DEFAULT '',
    version_id     text        NOT NULL DEFAULT '',
    etag           text        NOT NULL DEFAULT '',
    bytes          bigint      NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    media_type     text        NOT NULL DEFAULT '',
    width          integer     NOT NULL DEFAULT 0,
    height         integer     NOT NULL DEFAULT 0,
    sha256         text COLLATE "C" NOT NULL DEFAULT '' CHECK (sha256 ~ '^([0-9a-f]{64})?$'),
    flags          text[]      NOT NULL DEFAULT '{}',
    run_id         text COLLATE "C" NOT NULL,
    fetched_at     timestamptz,
    CHECK (state <> 'stored' OR (key <> '' AND sha256 <> ''))
);
CREATE INDEX images_by_subject ON archive.images (subject, transaction_id, kind, image_id);
CREATE INDEX images_by_run ON archive.images (run_id) WHERE state = 'stored';
CREATE UNIQUE INDEX images_stored ON archive.images (key, ref) WHERE state = 'stored';
COMMENT ON TABLE archive.images IS 'History: what became of each image, one row per finding. Insert only.';
COMMENT ON COLUMN archive.images.image_id IS 'Order of insertion.';
COMMENT ON COLUMN archive.images.subject IS 'Whose image.';
COMMENT ON COLUMN archive.images.transaction_id IS 'The folder it stands in: the transaction, or "t-" and 16 hex digits when the vendor names none.';
COMMENT ON COLUMN archive.images.kind IS 'Which of the six images.';
COMMENT ON COLUMN archive.images.ref IS 'HMAC of the vendor''s file name; empty when the listing has none.';
COMMENT ON COLUMN archive.images.state IS 'stored, absent, gone, rejected or failed.';
COMMENT ON COLUMN archive.images.class IS 'Failure class of an image that is not stored.';
COMMENT ON COLUMN archive.images.key IS 'Object key in the bucket.';
COMMENT ON COLUMN archive.images.version_id IS 'Version of the object, when the bucket has versions.';
COMMENT ON COLUMN archive.images.etag IS 'ETag of the object.';
COMMENT ON COLUMN archive.images.bytes IS 'Size of the image in bytes.';
COMMENT ON COLUMN archive.images.media_type IS 'What the bytes are.';
COMMENT ON COLUMN archive.images.width IS 'Pixels; 0 when unknown.';
COMMENT ON COLUMN archive.images.height IS 'Pixels; 0 when unknown.';
COMMENT ON COLUMN archive.images.sha256 IS 'SHA-256 of the image as stored, in hex.';
COMMENT ON COLUMN archive.images.flags IS 'truncated, conflict.';
COMMENT ON COLUMN archive.images.run_id IS 'The run that found it.';
COMMENT ON COLUMN archive.images.fetched_at IS 'When it was fetched from Vlens.';

CREATE TABLE archive.records (
    key            text COLLATE "C" PRIMARY KEY,
    subject        text COLLATE "C" NOT NULL CHECK (subject ~ '^[a-z2-7]{26}$'),
    transaction_id text COLLATE "C" NOT NULL,
    sequence       integer     NOT NULL CHECK (sequence > 0),
    version_id     text        NOT NULL DEFAULT '',
    sha256         text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    run_id         text COLLATE "C" NOT NULL,
    archived_at    timestamptz NOT NULL,
    UNIQUE (subject, transaction_id, sequence)
);
CREATE INDEX records_by_run ON archive.records (run_id);
COMMENT ON TABLE archive.records IS 'History: the records in the bucket. Insert only.';
COMMENT ON COLUMN archive.records.key IS 'Object key in the bucket.';
COMMENT ON COLUMN archive.records.subject IS 'Whose record.';
COMMENT ON COLUMN archive.records.transaction_id IS 'The folder it stands in.';
COMMENT ON COLUMN archive.records.sequence IS 'Number within subject and transaction, from 1.';
COMMENT ON COLUMN archive.records.version_id IS 'Version of the object, when the bucket has versions.';
COMMENT ON COLUMN archive.records.sha256 IS 'SHA-256 of the record''s exact bytes, in hex.';
COMMENT ON COLUMN archive.records.run_id IS 'The run that wrote or adopted it.';
COMMENT ON COLUMN archive.records.archived_at IS 'The time stated in the record.';

CREATE TABLE archive.outcomes (
    run_id         text COLLATE "C" NOT NULL REFERENCES archive.runs (run_id),
    subject        text COLLATE "C" NOT NULL CHECK (subject ~ '^[a-z2-7]{26}$'),
    user_id        text COLLATE "C",
    outcome        text        NOT NULL CHECK (outcome IN ('archived', 'unchanged', 'partial', 'no_images', 'not_found', 'failed')),
    class          text        NOT NULL DEFAULT '',
    requests       integer     NOT NULL DEFAULT 0 CHECK (requests >= 0),
    bytes          bigint      NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    started_at     timestamptz NOT NULL,
    ended_at       timestamptz NOT NULL DEFAULT now(),
    transaction_id text COLLATE "C" NOT NULL DEFAULT '',
    record_key     text COLLATE "C" NOT NULL DEFAULT '',
    record_sha256  text COLLATE "C" NOT NULL DEFAULT '' CHECK (record_sha256 ~ '^([0-9a-f]{64})?$'),
    process        text COLLATE "C" NOT NULL DEFAULT '',
    lease_token    bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, subject),
    CHECK (class <> '' OR outcome NOT IN ('failed', 'partial'))
);
CREATE INDEX outcomes_by_subject ON archive.outcomes (subject, ended_at);
COMMENT ON TABLE archive.outcomes IS 'History: how each user ended in each run. Insert only.';
COMMENT ON COLUMN archive.outcomes.run_id IS 'The run.';
COMMENT ON COLUMN archive.outcomes.subject IS 'The subject.';
COMMENT ON COLUMN archive.outcomes.user_id IS 'The user id at that time.';
COMMENT ON COLUMN archive.outcomes.outcome IS 'archived, unchanged, partial, no_images, not_found or failed.';
COMMENT ON COLUMN archive.outcomes.class IS 'Failure class of failed and partial.';
COMMENT ON COLUMN archive.outcomes.requests IS 'Requests to Vlens that the user cost.';
COMMENT ON COLUMN archive.outcomes.bytes IS 'Bytes of images stored by this attempt.';
COMMENT ON COLUMN archive.outcomes.started_at IS 'When the work on the user began.';
COMMENT ON COLUMN archive.outcomes.ended_at IS 'When the outcome was committed.';
COMMENT ON COLUMN archive.outcomes.transaction_id IS 'The folder the images stand in; empty when none is known.';
COMMENT ON COLUMN archive.outcomes.record_key IS 'The record that states the images; empty when there is none.';
COMMENT ON COLUMN archive.outcomes.record_sha256 IS 'SHA-256 of that record.';
COMMENT ON COLUMN archive.outcomes.process IS 'The process that did it.';
COMMENT ON COLUMN archive.outcomes.lease_token IS 'The token it showed.';

CREATE TABLE archive.log_entries (
    log_index bigint      PRIMARY KEY CHECK (log_index >= 0),
    sha256    text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    kind      text        NOT NULL CHECK (kind IN ('record', 'run')),
    key       text COLLATE "C" NOT NULL UNIQUE,
    added_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE archive.log_entries IS 'History: the entries of the evidence log, in order. Insert only.';
COMMENT ON COLUMN archive.log_entries.log_index IS 'Position in the log, from 0 without a gap.';
COMMENT ON COLUMN archive.log_entries.sha256 IS 'SHA-256 of a record''s exact bytes, or of a run''s SHA256SUMS.';
COMMENT ON COLUMN archive.log_entries.kind IS 'record or run.';
COMMENT ON COLUMN archive.log_entries.key IS 'Object key of the record or of SHA256SUMS.';
COMMENT ON COLUMN archive.log_entries.added_at IS 'When the index was assigned.';

CREATE TABLE archive.access_log (
    access_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    action    text        NOT NULL CHECK (action <> ''),
    actor     text        NOT NULL DEFAULT '',
    subject   text COLLATE "C" CHECK (subject ~ '^[a-z2-7]{26}$'),
    reason    text        NOT NULL CHECK (reason <> ''),
    objects   integer     NOT NULL DEFAULT 0,
    audit_key text COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX access_log_by_subject ON archive.access_log (subject, at);
COMMENT ON TABLE archive.access_log IS 'History: who took what out of the archive, and why. Insert only.';
COMMENT ON COLUMN archive.access_log.access_id IS 'Order of insertion.';
COMMENT ON COLUMN archive.access_log.at IS 'When.';
COMMENT ON COLUMN archive.access_log.action IS 'What was done, such as export.';
COMMENT ON COLUMN archive.access_log.actor IS 'Who did it: the account that ran the program.';
COMMENT ON COLUMN archive.access_log.subject IS 'Whose images.';
COMMENT ON COLUMN archive.access_log.reason IS 'The reason that was given.';
COMMENT ON COLUMN archive.access_log.objects IS 'How many objects.';
COMMENT ON COLUMN archive.access_log.audit_key IS 'Object key of the statement in the bucket.';

CREATE TABLE archive.verifications (
    verification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL DEFAULT now(),
    mode       text        NOT NULL CHECK (mode IN ('default', 'checksums', 'deep')),
    scope      jsonb       NOT NULL DEFAULT '{}',
    objects    bigint      NOT NULL DEFAULT 0,
    records    bigint      NOT NULL DEFAULT 0,
    damaged    bigint      NOT NULL DEFAULT 0,
    findings   jsonb       NOT NULL DEFAULT '{}',
    audit_key  text COLLATE "C" NOT NULL DEFAULT ''
);
COMMENT ON TABLE archive.verifications IS 'History: what was checked, and what was found. Insert only.';
COMMENT ON COLUMN archive.verifications.verification_id IS 'Order of insertion.';
COMMENT ON COLUMN archive.verifications.started_at IS 'When it began.';
COMMENT ON COLUMN archive.verifications.ended_at IS 'When it ended.';
COMMENT ON COLUMN archive.verifications.mode IS 'How deep: default, checksums or deep.';
COMMENT ON COLUMN archive.verifications.scope IS 'What was looked at: sample and seed, subject or run; {} means everything.';
COMMENT ON COLUMN archive.verifications.objects IS 'Objects checked.';
COMMENT ON COLUMN archive.verifications.records IS 'Records checked.';
COMMENT ON COLUMN archive.verifications.damaged IS 'Objects and records that are not as they should be.';
COMMENT ON COLUMN archive.verifications.findings IS 'Number of findings by sort.';
COMMENT ON COLUMN archive.verifications.audit_key IS 'Object key of the statement in the bucket.';

-- +goose Down

DROP TABLE archive.verifications, archive.access_log, archive.log_entries, archive.outcomes, archive.records,
    archive.images, archive.transactions, archive.run_users, archive.subjects, archive.processes, archive.runs, archive.archive;
