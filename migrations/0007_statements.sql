-- +goose Up

ALTER TABLE archive.access_log ADD COLUMN audit_sha256 text COLLATE "C" NOT NULL DEFAULT '' CHECK (audit_sha256 ~ '^([0-9a-f]{64})?$');
ALTER TABLE archive.verifications ADD COLUMN audit_sha256 text COLLATE "C" NOT NULL DEFAULT '' CHECK (audit_sha256 ~ '^([0-9a-f]{64})?$');
COMMENT ON COLUMN archive.access_log.audit_sha256 IS 'SHA-256 of the statement in the bucket; empty in rows older than this column.';
COMMENT ON COLUMN archive.verifications.audit_sha256 IS 'SHA-256 of the statement in the bucket; empty without one, and in rows older than this column.';
CREATE INDEX access_log_by_statement ON archive.access_log (audit_key) WHERE audit_key <> '';
CREATE INDEX verifications_by_statement ON archive.verifications (audit_key) WHERE audit_key <> '';

-- +goose Down

DROP INDEX archive.verifications_by_statement, archive.access_log_by_statement;
ALTER TABLE archive.verifications DROP COLUMN audit_sha256;
ALTER TABLE archive.access_log DROP COLUMN audit_sha256;
