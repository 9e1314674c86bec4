-- +goose Up

-- The passkeys of people (WebAuthn Level 3 §4, credential record). The record is
-- sealed with its person in it: who can write here can make nobody a passkey.
CREATE TABLE passkey (
	id            uuid        PRIMARY KEY,
	person_id     uuid        NOT NULL REFERENCES person,
	credential_id bytea       NOT NULL,
	credential    bytea       NOT NULL,
	sign_count    bigint      NOT NULL,
	added_at      timestamptz NOT NULL,
	used_at       timestamptz,
	CONSTRAINT passkey_once UNIQUE (credential_id)
);

CREATE INDEX passkey_person_id ON passkey (person_id);
