-- +goose Up

-- Entries of journals that the citizen does not recognise, each reported once. They outlive the entries.
CREATE TABLE report (
	entry_id  uuid        PRIMARY KEY,
	entry_at  timestamptz NOT NULL,
	person_id uuid        NOT NULL,
	at        timestamptz NOT NULL
);

CREATE INDEX report_at ON report (at, entry_id);
