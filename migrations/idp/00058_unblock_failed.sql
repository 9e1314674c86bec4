-- +goose Up
-- When somebody who knows the password last failed to prove more: such failures close a citizen's own way back for a while, and not for good.
ALTER TABLE identity ADD COLUMN unblock_failed_at timestamptz;
