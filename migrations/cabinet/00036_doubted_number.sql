-- +goose Up

-- Where it was noticed only later that a number had become another's, at is when, and not when it did: of a sign-in under it until then the provider
-- tells whether it is good.
ALTER TABLE ended_number ADD COLUMN doubted boolean NOT NULL DEFAULT false;
