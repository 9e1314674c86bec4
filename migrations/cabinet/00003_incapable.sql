-- +goose Up

-- A case that the law leaves to the operator (order 82, p. 10).
ALTER TABLE cabinet
	DROP CONSTRAINT cabinet_reason_known,
	ADD CONSTRAINT cabinet_reason_known CHECK (state_reason IN ('death', 'declared_dead', 'missing', 'incapable'));
