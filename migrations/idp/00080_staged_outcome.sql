-- +goose Up

-- Whom the one edition that waits would deactivate, and whom it leaves out, for those who decide on it. As what is staged, it is made again from
-- the edition's file: where there is nobody, a crash has emptied what was staged.
CREATE UNLOGGED TABLE staged_outcome (
	outcome   text NOT NULL,
	person_id uuid NOT NULL,
	PRIMARY KEY (outcome, person_id),
	CONSTRAINT staged_outcome_known CHECK (outcome IN ('deactivated', 'missing'))
);
