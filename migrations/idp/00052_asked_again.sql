-- +goose Up

-- By which request of whose an act was asked for (Idempotency-Key), and what it asked, both as keyed digests: whoever did not hear the
-- answer asks again, and is told of that act.
ALTER TABLE desk_act
	ADD COLUMN request_key bytea,
	ADD COLUMN request_body bytea,
	ADD CONSTRAINT desk_act_request_asks CHECK ((request_key IS NULL) = (request_body IS NULL));

ALTER TABLE issuance
	ADD COLUMN request_key bytea,
	ADD COLUMN request_body bytea,
	ADD CONSTRAINT issuance_request_asks CHECK ((request_key IS NULL) = (request_body IS NULL));

CREATE UNIQUE INDEX desk_act_request_once ON desk_act (request_key) WHERE request_key IS NOT NULL;
CREATE UNIQUE INDEX issuance_request_once ON issuance (request_key) WHERE request_key IS NOT NULL;
