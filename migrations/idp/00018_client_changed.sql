-- +goose Up

-- Every node asks each second which clients have changed.
CREATE INDEX client_changed_at ON client (changed_at);
