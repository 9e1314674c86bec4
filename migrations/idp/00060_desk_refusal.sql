-- +goose Up

-- Refusals on record, by the request that was refused: who did not hear of one asks again, and is told of the same.
CREATE TABLE desk_refusal (
	request_key bytea PRIMARY KEY,
	event_id    uuid  NOT NULL,
	CONSTRAINT desk_refusal_on_record_once UNIQUE (event_id)
);
