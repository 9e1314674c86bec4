-- +goose Up

-- The claims that were asked for by name, beyond those of the scopes: {"userinfo": […], "id_token": […]} (OpenID Connect Core §5.5).
ALTER TABLE client_grant ADD COLUMN claims jsonb NOT NULL DEFAULT '{}';
