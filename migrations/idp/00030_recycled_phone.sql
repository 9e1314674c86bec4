-- +goose Up

-- Operators give numbers out again. The phone of a blocked identifier goes to whoever proves at a desk that it is theirs
-- now, and the identifier that had it has none until it is unblocked with another one.
ALTER TABLE identity
	ALTER COLUMN phone DROP NOT NULL,
	ALTER COLUMN phone_index DROP NOT NULL,
	ADD CONSTRAINT identity_phone_is_found_by_its_index CHECK ((phone IS NULL) = (phone_index IS NULL)),
	ADD CONSTRAINT identity_in_use_has_a_phone CHECK (phone IS NOT NULL OR state = 'blocked');

-- Whoever comes to have an identifier unblocked, or for another temporary password, may bring another phone: it is
-- confirmed in the visit as that of a change of phone is.
ALTER TABLE issuance
	DROP CONSTRAINT issuance_errand_known,
	ADD CONSTRAINT issuance_errand_known CHECK (errand IN ('issuance', 'phone_change', 'unblock', 'reissue'));
