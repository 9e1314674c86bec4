-- +goose Up

-- Where the last sign-in at a browser came from, approximately and in words; no address is kept.
ALTER TABLE known_browser ADD COLUMN place jsonb;
