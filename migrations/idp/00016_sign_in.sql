-- +goose Up

-- The latest time that a sign-in of this person bears: an end of sign-ins reaches to it.
ALTER TABLE identity ADD COLUMN signed_in_at timestamptz;
