-- +goose Up

-- What a refresh token of a public client is bound to: cnf (RFC 9449 §5, RFC 8705 §4).
ALTER TABLE client_grant ADD COLUMN bound jsonb NOT NULL DEFAULT '{}';
