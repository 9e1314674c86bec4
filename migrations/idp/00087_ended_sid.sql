-- +goose Up

-- Where a sign-out leads is asked of sessions too that are over.
DROP INDEX client_grant_sid;
CREATE INDEX client_grant_sid ON client_grant (sid);
