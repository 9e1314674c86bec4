-- +goose Up

-- Who was new then, or got another number, is told of by no earlier edition under the one they have; of anybody else that is missing there.
ALTER TABLE person_event ADD COLUMN new_number boolean NOT NULL DEFAULT false;
