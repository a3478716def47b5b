-- +goose Up

UPDATE archive.classes SET transient = true WHERE class = 'forbidden';
-- Who was given up for good is due again, once.
UPDATE archive.subjects SET next_due_at = now(), due_reason = 'retry'
WHERE state = 'failed' AND last_class = 'forbidden' AND next_due_at IS NULL;

-- +goose Down

UPDATE archive.classes SET transient = false WHERE class = 'forbidden';
UPDATE archive.subjects SET next_due_at = NULL
WHERE state = 'failed' AND last_class = 'forbidden' AND NOT ready AND lease_process IS NULL;
