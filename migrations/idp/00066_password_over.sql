-- +goose Up

-- Temporary passwords by when they are over: then they are destroyed.
CREATE INDEX identity_password_till ON identity (password_till) WHERE password_till IS NOT NULL AND password_hash IS NOT NULL;
