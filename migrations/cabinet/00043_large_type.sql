-- +goose Up

-- Whether a citizen likes to read the cabinet in large type.
ALTER TABLE contact ADD COLUMN large boolean NOT NULL DEFAULT false;

-- The words of services are read into memory since 00040. Nothing looks for them here any more, or writes them.
DROP TABLE service_word, service_mask;
ALTER TABLE service DROP COLUMN words, DROP COLUMN reading;
