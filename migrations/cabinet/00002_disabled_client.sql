-- +goose Up

-- Clients that the provider has disabled or removed: no token that it gave them is good here.
CREATE TABLE disabled_client (
	client_id text COLLATE "C" PRIMARY KEY
);
