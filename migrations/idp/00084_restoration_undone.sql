-- +goose Up

-- A restoration may turn out to be a mistake: then two undo it, on an act too, and what was taken back holds again.
ALTER TABLE restoration ADD COLUMN undoes uuid REFERENCES restoration;

CREATE INDEX restoration_undoes ON restoration (undoes);
CREATE UNIQUE INDEX restoration_undone_once ON restoration (undoes) WHERE state IN ('open', 'approved');

ALTER TABLE taken_back ADD COLUMN deactivated_for text;
