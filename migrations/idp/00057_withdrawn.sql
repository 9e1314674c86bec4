-- +goose Up

-- By which request of whose another code was sent last (Idempotency-Key), as a keyed digest: whoever did not hear the answer asks again, and
-- is told of that code.
ALTER TABLE issuance ADD COLUMN code_key bytea;

-- A pending issuance with which nobody goes on: what was written down of it is wiped, and that it was there is forgotten with its term.
ALTER TABLE issuance
	ADD COLUMN withdrawn_at timestamptz,
	ALTER COLUMN presented DROP NOT NULL,
	ADD CONSTRAINT issuance_wiped_when_withdrawn CHECK ((presented IS NULL) = (withdrawn_at IS NOT NULL)),
	ADD CONSTRAINT issuance_withdrawn_while_pending CHECK (withdrawn_at IS NULL OR opened_at IS NULL);
