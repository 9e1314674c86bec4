-- +goose Up

-- What the register told of one person between its editions. The id is the register's own.
CREATE TABLE person_event (
	id          text        COLLATE "C" PRIMARY KEY,
	change      bigint      NOT NULL, -- its place in the series of editions: whom it changed is changed_in it
	digest      bytea       NOT NULL, -- SHA-256 of what it says, so that the same twice is nothing
	person_id   uuid        NOT NULL REFERENCES person,
	at          timestamptz NOT NULL, -- by the register's clock
	told_at     timestamptz NOT NULL,
	deactivated boolean     NOT NULL,
	told_by     uuid        REFERENCES person,
	client_id   text,
	CONSTRAINT person_event_change_once UNIQUE (change)
);

CREATE INDEX person_event_person_id ON person_event (person_id, at);
CREATE INDEX person_event_told_by ON person_event (told_by);
CREATE INDEX person_event_deactivated ON person_event (told_at) WHERE deactivated;

-- The identification numbers that a person had before, each until when. It is nobody else's.
CREATE TABLE former_number (
	person_id             uuid             NOT NULL REFERENCES person,
	at                    timestamptz      NOT NULL,
	identification_number text COLLATE "C" NOT NULL,
	PRIMARY KEY (person_id, at)
);

CREATE INDEX former_number_identification_number ON former_number (identification_number);

-- As of when an edition says what it says, and how many of its rows were left out because more is known already.
ALTER TABLE edition
	ADD COLUMN as_of    timestamptz,
	ADD COLUMN withheld bigint NOT NULL DEFAULT 0;

UPDATE edition SET as_of = period AT TIME ZONE 'UTC';

ALTER TABLE edition ALTER COLUMN as_of SET NOT NULL;
