-- +goose Up

-- Whether something of an edition was read. A single event has one page: what was begun and goes on is an edition of many people, and lets pass what
-- was not begun. Everybody, who is no edition, is read to the end first.
ALTER TABLE edition ADD COLUMN begun boolean NOT NULL GENERATED ALWAYS AS (id > 0 AND after > '00000000-0000-0000-0000-000000000000') STORED;

DROP INDEX edition_unread;
CREATE INDEX edition_unread ON edition (begun, id) WHERE read_at IS NULL;
