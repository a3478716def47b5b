-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION archive.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'archive.% is history: rows are only added, % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION archive.refuse_change() IS 'Makes a table insert-only, also for its owner.';

-- Statement triggers, so that also a statement which meets no row is refused.
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.images FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.records FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.outcomes FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.log_entries FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.access_log FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.verifications FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change();

-- +goose Down

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM archive.outcomes) OR EXISTS (SELECT 1 FROM archive.records) OR EXISTS (SELECT 1 FROM archive.access_log) THEN
        RAISE EXCEPTION 'the ledger holds history and is not dropped; to give it up on purpose, drop schema archive by hand'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
-- +goose StatementEnd

DROP TRIGGER insert_only ON archive.verifications;
DROP TRIGGER insert_only ON archive.access_log;
DROP TRIGGER insert_only ON archive.log_entries;
DROP TRIGGER insert_only ON archive.outcomes;
DROP TRIGGER insert_only ON archive.records;
DROP TRIGGER insert_only ON archive.images;
DROP FUNCTION archive.refuse_change();
