-- +goose Up

-- An issuance and a change of phone go the same way: the phone is confirmed in the
-- visit, and then assigned to the person's identifier.
ALTER TABLE issuance ADD COLUMN errand text NOT NULL DEFAULT 'issuance'
	CONSTRAINT issuance_errand_known CHECK (errand IN ('issuance', 'phone_change'));
