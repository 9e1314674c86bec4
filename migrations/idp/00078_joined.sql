-- +goose Up

-- Who was known by the number that an event gave somebody else, and turned out to be the same: there is no such person any more.
ALTER TABLE person_event ADD COLUMN joined uuid;

CREATE INDEX person_event_joined ON person_event (joined) WHERE joined IS NOT NULL;

-- Each of the two may have had another number until the same moment.
ALTER TABLE former_number
	DROP CONSTRAINT former_number_pkey,
	ADD PRIMARY KEY (person_id, at, identification_number);
