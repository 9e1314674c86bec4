-- +goose Up

-- When the phone was last told of a sign-in at a browser that was not known before.
ALTER TABLE identity ADD COLUMN browser_told_at timestamptz;
