-- +goose Up

-- A client's version rises with every write: whoever changes it says which one they have seen. After a rotation the
-- secret before is good for a while. A client that is disabled stays as it is and gets nothing.
ALTER TABLE client
	ADD COLUMN version              bigint NOT NULL DEFAULT 1,
	ADD COLUMN previous_secret_hash bytea,
	ADD COLUMN previous_secret_till timestamptz,
	ADD COLUMN disabled_at          timestamptz,
	ADD CONSTRAINT client_previous_secret_has_an_end CHECK ((previous_secret_hash IS NULL) = (previous_secret_till IS NULL));

-- Who changed a client, and what.
CREATE INDEX event_client ON event (client_id, place) WHERE kind LIKE 'client.%';

-- What was answered to a request that may come again (Idempotency-Key), for a short while. Some answers tell a secret,
-- so all are sealed; the key and the request are kept as digests.
CREATE TABLE answer (
	caller       text        COLLATE "C" NOT NULL,
	key_hash     bytea       NOT NULL,
	request_hash bytea       NOT NULL,
	sealed       bytea       NOT NULL,
	till         timestamptz NOT NULL,
	PRIMARY KEY (caller, key_hash)
);

CREATE INDEX answer_till ON answer (till);
