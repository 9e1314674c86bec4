-- +goose Up

-- Other systems of the state, as the operator has named them last. One that is asked no more stays: what it told says from where it is, and on
-- what basis.
CREATE TABLE source (
	name  text    COLLATE "C" PRIMARY KEY,
	title jsonb   NOT NULL,
	basis jsonb   NOT NULL,
	asked boolean NOT NULL
);

-- A dispute in which the source agrees is an occasion of its own.
ALTER TABLE refresh
	DROP CONSTRAINT refresh_occasion_known,
	ADD CONSTRAINT refresh_occasion_known CHECK (occasion IN ('primary_sign_in', 'order', 'application', 'decision', 'complaint', 'correction')),
	ADD COLUMN asked_for text;

UPDATE refresh SET asked_for = occasion WHERE asked_at IS NOT NULL;

COMMENT ON COLUMN refresh.tries IS 'in vain, since the last occasion; 0 while a source is being asked is that there was another one meanwhile';
COMMENT ON COLUMN refresh.asked_for IS 'the occasion that the source was told when it was asked last';

-- Whoever does something on which sources are asked has them asked by this, in its own transaction: all, or one. A source that is to be asked
-- later is asked on this occasion, as soon as it may be: about one person not within ten minutes.
-- +goose StatementBegin
CREATE FUNCTION ask(person uuid, why text, at timestamptz, one text DEFAULT NULL) RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO refresh (person_id, source, occasion, due_at)
	SELECT person, name, why, at FROM source WHERE asked AND (one IS NULL OR name = one)
	ON CONFLICT (person_id, source) DO UPDATE
	SET occasion = excluded.occasion, tries = 0,
	    due_at = least(refresh.due_at, greatest(excluded.due_at, refresh.asked_at + interval '10 minutes'));
END;
-- +goose StatementEnd

-- A primary sign-in fills the profile (order 82, p. 12), by whichever way it is heard of.
-- +goose StatementBegin
CREATE FUNCTION ask_at_primary_sign_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ask(NEW.person_id, 'primary_sign_in', NEW.state_at);
	RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER ask_at_primary_sign_in AFTER UPDATE OF state ON cabinet
	FOR EACH ROW WHEN (OLD.state <> 'activated' AND NEW.state = 'activated') EXECUTE FUNCTION ask_at_primary_sign_in();
