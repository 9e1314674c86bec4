-- +goose Up

-- Clients that the provider has disabled or removed, or enabled again, and when: while one is disabled, no token that it was given is good
-- here.
CREATE TABLE disabled_client (
	client_id text        COLLATE "C" PRIMARY KEY,
	disabled  boolean     NOT NULL,
	at        timestamptz NOT NULL
);
