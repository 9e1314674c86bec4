-- +goose Up

-- What citizens said to be wrong in their profiles, as it stood, and what came of it. What was said and answered is sealed (provider/seal).
CREATE TABLE dispute (
	id        uuid        PRIMARY KEY,
	person_id uuid        NOT NULL REFERENCES cabinet,
	name      text        COLLATE "C" NOT NULL,
	source    text        COLLATE "C" NOT NULL,
	value     bytea       NOT NULL,
	words     bytea       NOT NULL,
	restricts boolean     NOT NULL,
	state     text        NOT NULL,
	at        timestamptz NOT NULL,
	sent_at   timestamptz,
	ended_at  timestamptz,
	answer    bytea,
	by        text,
	CONSTRAINT dispute_state_known CHECK (state IN ('received', 'sent', 'withdrawn', 'corrected', 'upheld')),
	CONSTRAINT dispute_ends_once CHECK ((ended_at IS NULL) = (state IN ('received', 'sent'))),
	CONSTRAINT dispute_is_sent_by_somebody CHECK (state <> 'sent' OR sent_at IS NOT NULL AND by IS NOT NULL),
	CONSTRAINT dispute_is_answered_by_somebody CHECK ((state IN ('corrected', 'upheld')) = (answer IS NOT NULL) AND (answer IS NULL OR by IS NOT NULL))
);

COMMENT ON COLUMN dispute.name IS 'of the value, as the journal calls it';
COMMENT ON COLUMN dispute.restricts IS 'e-services are not given the value until it ends';
COMMENT ON COLUMN dispute.by IS 'who did the last act on the operator''s side';

-- A value is in one dispute at a time.
CREATE UNIQUE INDEX dispute_open ON dispute (person_id, name) WHERE ended_at IS NULL;
CREATE INDEX dispute_person ON dispute (person_id, at DESC, id DESC);
CREATE INDEX dispute_waiting ON dispute (at, id) WHERE ended_at IS NULL;

ALTER TABLE dispute ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY of_the_subject ON dispute
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));
