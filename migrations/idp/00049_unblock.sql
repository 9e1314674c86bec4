-- +goose Up

-- How often in a row somebody who knew the password could not prove more, to lift a block of the citizen's own.
ALTER TABLE identity ADD COLUMN unblock_failures integer NOT NULL DEFAULT 0;
