-- +goose Up

-- The line of its file in which a row stands: by it the operator is told of one that is withheld. What was staged can be had again from its
-- file.
TRUNCATE staged_person;
ALTER TABLE staged_person ADD COLUMN line integer NOT NULL;

-- Which deaths, declarations of death and of being missing an event has taken back, each with its date and act.
ALTER TABLE person_event ADD COLUMN took_back text[];
