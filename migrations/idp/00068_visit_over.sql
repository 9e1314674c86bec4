-- +goose Up

-- Visits that were opened, and never came to their end, are forgotten like those that wait.
CREATE INDEX issuance_unassigned ON issuance (coalesce(opened_at, pending_at)) WHERE assigned_at IS NULL;
