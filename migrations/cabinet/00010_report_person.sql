-- +goose Up

-- Citizens see, and take with them, what they have reported.
CREATE INDEX report_person ON report (person_id, at, entry_id);
