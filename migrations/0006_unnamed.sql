-- +goose Up

COMMENT ON TABLE archive.transactions IS 'Under whom a verification is filed: two users who share a number must not share a face.';
COMMENT ON COLUMN archive.transactions.transaction_id IS 'The verification at Vlens: a lower-case UUID, or "ref-" and the ref of its first image when Vlens names no transaction.';

-- +goose Down

COMMENT ON TABLE archive.transactions IS 'Under whom a transaction is filed: two users who share a number must not share a face.';
COMMENT ON COLUMN archive.transactions.transaction_id IS 'The verification at Vlens; lower-case UUID.';
