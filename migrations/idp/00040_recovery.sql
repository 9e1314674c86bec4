-- +goose Up

-- When a lost password was last replaced: for a time after it grave acts wait, in case it was not the citizen.
ALTER TABLE identity ADD COLUMN recovered_at timestamptz;
