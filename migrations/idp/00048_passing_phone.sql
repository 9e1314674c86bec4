-- +goose Up

-- The phone that a visit brings, to know it again where it is brought to somebody else.
ALTER TABLE issuance ADD COLUMN phone_index bytea;

CREATE INDEX issuance_phone_index ON issuance (phone_index, assigned_at) WHERE assigned_at IS NOT NULL;
