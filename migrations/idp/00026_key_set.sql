-- +goose Up

-- When a key set was changed last: a new key is known for a while before it seals.
ALTER TABLE key_set ADD COLUMN changed_at timestamptz;

UPDATE key_set SET changed_at = created_at;

ALTER TABLE key_set ALTER COLUMN changed_at SET NOT NULL;
