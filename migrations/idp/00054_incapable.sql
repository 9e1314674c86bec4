-- +goose Up

-- A case of deactivation that the law leaves to the operator (order 82, p. 10); NULL for nearly everybody.
ALTER TABLE person
	ADD COLUMN deactivated_for text,
	ADD CONSTRAINT person_deactivated_for_known CHECK (deactivated_for IN ('incapable'));
