-- +goose Up

-- Other systems of the state are put in force, and taken out, by an act of the operator's, which says by whom and when. What a node's environment
-- names is where it calls them.
ALTER TABLE source
	ADD COLUMN names text[] COLLATE "C",
	ADD COLUMN in_force boolean NOT NULL DEFAULT false,
	ALTER COLUMN asked SET DEFAULT true;

UPDATE source SET in_force = asked;

COMMENT ON TABLE source IS 'other systems of the state; one that is in force no more stays: what it told says from where it is, and on what basis';
COMMENT ON COLUMN source.names IS 'of the values that it is asked for; NULL of one from before 00042, which is asked for what the environment says';
COMMENT ON COLUMN source.asked IS 'of programs before 00042; nothing goes by it';

-- The record of those acts; it only grows.
CREATE TABLE source_act (
	id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	source text        COLLATE "C" NOT NULL REFERENCES source,
	act    text        NOT NULL,
	by     text        NOT NULL,
	at     timestamptz NOT NULL,
	CONSTRAINT source_act_known CHECK (act IN ('put', 'dropped'))
);

CREATE INDEX source_act_source ON source_act (source, id);

INSERT INTO source_act (source, act, by, at) SELECT name, 'put', 'cabinet migrate', now() FROM source WHERE in_force;

-- As before, but that those in force are asked.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ask(person uuid, why text, at timestamptz, one text DEFAULT NULL) RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO refresh (person_id, source, occasion, due_at)
	SELECT person, name, why, at FROM source WHERE in_force AND (one IS NULL OR name = one)
	ON CONFLICT (person_id, source) DO UPDATE
	SET occasion = excluded.occasion, tries = 0,
	    due_at = least(refresh.due_at, greatest(excluded.due_at, refresh.asked_at + interval '10 minutes'));
END;
-- +goose StatementEnd
