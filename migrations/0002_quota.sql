-- +goose Up

CREATE TABLE archive.quota (
    base_url   text        NOT NULL,
    tenancy    text        NOT NULL,
    version    bigint      NOT NULL DEFAULT 0,
    state      json        NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (base_url, tenancy)
)
-- A few rows, each written several times a second: room for the next version on
-- the same page, and a vacuum that does not wait for a share of the table.
WITH (
    fillfactor = 25,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE archive.quota IS 'The request limits of a tenant at Vlens and who uses them now. One row is shared by all processes; it holds no history.';
COMMENT ON COLUMN archive.quota.base_url IS 'The Vlens API the limits belong to.';
COMMENT ON COLUMN archive.quota.tenancy IS 'The tenant at Vlens.';
COMMENT ON COLUMN archive.quota.version IS 'Number of the state. A process writes only over the version it has read.';
COMMENT ON COLUMN archive.quota.state IS 'Processes with their limits, slots and places in the queue; the responses of the last minute as distances; the cool-down. Times are milliseconds since 1970 by the clock of this database. Documented in package store/window.';
COMMENT ON COLUMN archive.quota.updated_at IS 'When the row was last written.';

-- +goose Down

DROP TABLE archive.quota;
