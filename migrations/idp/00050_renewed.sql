-- +goose Up

-- Whether the end of a visit sent a temporary password anew. A change of phone does where the present one is temporary.
ALTER TABLE issuance ADD COLUMN renewed boolean NOT NULL DEFAULT false;
UPDATE issuance SET renewed = true WHERE assigned_at IS NOT NULL AND errand IN ('unblock', 'reissue');
