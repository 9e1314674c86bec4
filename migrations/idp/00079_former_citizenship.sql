-- +goose Up

-- More than one citizenship may have ended at one moment: one after the other, as they were told.
ALTER TABLE former_citizenship
	ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY,
	DROP CONSTRAINT former_citizenship_pkey,
	ADD PRIMARY KEY (person_id, at, place);
