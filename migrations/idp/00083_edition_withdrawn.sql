-- +goose Up

-- Whoever brought an edition that waits may take it back; a system that did so in its own name is nobody of the staff.
ALTER TABLE edition
	DROP CONSTRAINT edition_state_known,
	DROP CONSTRAINT edition_decided_once,
	DROP CONSTRAINT edition_decided_by_another,
	ADD CONSTRAINT edition_state_known CHECK (state IN ('staging', 'waiting', 'applied', 'refused', 'withdrawn')),
	ADD CONSTRAINT edition_decided_once CHECK ((decided_by IS NULL OR decided_at IS NOT NULL) AND (state NOT IN ('refused', 'withdrawn') OR decided_at IS NOT NULL)),
	ADD CONSTRAINT edition_decided_by_another CHECK ((decided_by = imported_by) = (state = 'withdrawn'));

DROP INDEX edition_checksum_once;
CREATE UNIQUE INDEX edition_checksum_once ON edition (checksum) WHERE state NOT IN ('refused', 'withdrawn');

-- Those who were joined lately are counted; nobody is looked up by who is no more.
DROP INDEX person_event_joined;
CREATE INDEX person_event_joined ON person_event (told_at) WHERE joined IS NOT NULL;
