-- +goose Up

-- Whoever proposed that identifiers are blocked, or somebody restored, may take that back; and decides nothing else of it.
ALTER TABLE security_block
	DROP CONSTRAINT security_block_state_known,
	DROP CONSTRAINT security_block_decided_by_another,
	ADD CONSTRAINT security_block_state_known CHECK (state IN ('open', 'approved', 'refused', 'withdrawn')),
	ADD CONSTRAINT security_block_decided_by_another CHECK ((decided_by = proposed_by) = (state = 'withdrawn'));

ALTER TABLE restoration
	DROP CONSTRAINT restoration_state_known,
	DROP CONSTRAINT restoration_decided_by_another,
	ADD CONSTRAINT restoration_state_known CHECK (state IN ('open', 'approved', 'refused', 'withdrawn')),
	ADD CONSTRAINT restoration_decided_by_another CHECK ((decided_by = proposed_by) = (state = 'withdrawn'));
