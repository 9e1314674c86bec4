-- +goose Up

-- What was answered to acts of e-services that carried an Idempotency-Key, for an hour (provider/answer). It stands outside of the wall: no key
-- but the caller's own opens it.
CREATE TABLE answer (
	caller       text        COLLATE "C" NOT NULL,
	key_hash     bytea       NOT NULL,
	request_hash bytea       NOT NULL,
	sealed       bytea       NOT NULL,
	till         timestamptz NOT NULL,
	PRIMARY KEY (caller, key_hash)
);

COMMENT ON COLUMN answer.caller IS 'the client, and whose token it was: a keyed digest of that';

CREATE INDEX answer_till ON answer (till);
