-- +goose Up

-- The questions that a passkey has answered, while they are good: each is answered once (WebAuthn Level 3 §13.4.3), whatever Redis has lost.
CREATE TABLE passkey_answer (
	passkey_id uuid        NOT NULL REFERENCES passkey ON DELETE CASCADE,
	challenge  bytea       NOT NULL, -- its digest
	till       timestamptz NOT NULL, -- when the question is good no more
	PRIMARY KEY (passkey_id, challenge)
);
