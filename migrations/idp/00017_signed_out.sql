-- +goose Up

-- Which sessions were signed out of: a code that came from one gives nothing.
CREATE INDEX event_signed_out ON event (sid) WHERE kind = 'signed_out';
