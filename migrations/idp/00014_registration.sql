-- +goose Up

-- Initial access tokens (RFC 7591 §3), by digest: who has one may register clients, so many and until then, for these
-- scopes at most.
CREATE TABLE initial_access_token (
	id         uuid        PRIMARY KEY,
	token_hash bytea       NOT NULL,
	scope      text        NOT NULL,
	uses_left  integer     NOT NULL,
	till       timestamptz NOT NULL,
	created_at timestamptz NOT NULL,
	CONSTRAINT initial_access_token_once UNIQUE (token_hash),
	CONSTRAINT initial_access_token_uses_bounded CHECK (uses_left >= 0)
);

-- A client that registered itself: the digest of its registration access token (RFC 7592), and what it may ask for at most.
ALTER TABLE client
	ADD COLUMN registration_hash  bytea,
	ADD COLUMN registration_scope text,
	ADD CONSTRAINT client_registered_itself_within_limits CHECK ((registration_hash IS NULL) = (registration_scope IS NULL));
