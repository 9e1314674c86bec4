-- +goose Up

-- A person's history tells what has no place yet, too.
DROP INDEX event_person;
CREATE INDEX event_person ON event (person_id, place);
