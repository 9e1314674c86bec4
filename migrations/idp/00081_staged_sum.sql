-- +goose Up

-- Of the staged bytes of the file, by which whoever goes on with it after a crash sees that it is the same.
ALTER TABLE edition ADD COLUMN staged_sum bytea;
