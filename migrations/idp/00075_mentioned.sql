-- +goose Up

-- A bad row of a full edition is staged with its line and number alone: whom it is about is not missing.
ALTER TABLE staged_person
	ALTER COLUMN sex DROP NOT NULL,
	ALTER COLUMN birth_date DROP NOT NULL,
	ALTER COLUMN citizenship DROP NOT NULL;
