-- +goose Up

-- An event tells of some people by a number of later than what the edition is as of: that leaves them out, and they are not missing. Kept they
-- are all the same, or the edition would seem to tell of them.
ALTER TABLE missing_person ADD COLUMN overtaken boolean NOT NULL DEFAULT false;
