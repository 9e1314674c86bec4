-- +goose Up

-- Whether something is staged of an edition that waits: of one whose rows are all bad it may be what they mention, or nothing. Without it a crash
-- has emptied what was staged. NULL for one that never waited.
ALTER TABLE edition ADD COLUMN has_rows boolean;
