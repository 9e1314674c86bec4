-- +goose Up

-- A wrong scan is put right by another one: all are kept with the act, in the order in which they came.
ALTER TABLE paper
	ADD COLUMN number integer NOT NULL DEFAULT 1,
	DROP CONSTRAINT paper_pkey,
	ADD PRIMARY KEY (act_id, number);
