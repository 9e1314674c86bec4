-- +goose Up

-- A proposal is bound to the metadata over which it was made, and not to every write of the client: another secret changes nothing of it.
ALTER TABLE proposal ADD COLUMN base jsonb;
UPDATE proposal SET base = client.metadata FROM client WHERE client.client_id = proposal.client_id;
ALTER TABLE proposal ALTER COLUMN base SET NOT NULL;

-- Since when a body has a client: what was before is not for its people to read.
ALTER TABLE client ADD COLUMN owned_at timestamptz;
UPDATE client SET owned_at = created_at WHERE owner_id IS NOT NULL;
ALTER TABLE client ADD CONSTRAINT client_owned_since CHECK ((owner_id IS NULL) = (owned_at IS NULL));
