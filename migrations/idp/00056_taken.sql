-- +goose Up

-- Whether what was warned of gave whoever did it all that lifts a block: then the link leaves no password that would.
ALTER TABLE not_me ADD COLUMN taken boolean NOT NULL DEFAULT false;
