-- +goose Up

-- A regular expression takes a quarter of the time in which ten million people are copied in; the form can be held for less. That it is a
-- day of the calendar is held by who reads the file.
ALTER TABLE person
	DROP CONSTRAINT person_birth_date_iso,
	ADD CONSTRAINT person_birth_date_iso CHECK (birth_date LIKE '____' OR birth_date LIKE '____-__' OR birth_date LIKE '____-__-__');
