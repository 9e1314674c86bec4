-- +goose Up

-- At which costs there are hashes: a password that is checked is compared at each of them, so that the time tells nothing.
CREATE INDEX identity_password_cost ON identity (substring(password_hash FROM 'm=[0-9]+,t=[0-9]+,p=[0-9]+'));
