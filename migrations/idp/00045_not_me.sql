-- +goose Up

-- The links in notices by which whoever got one says "this was not me". Each blocks once, within its time; the token is
-- kept as a digest.
CREATE TABLE not_me (
	token_hash bytea       PRIMARY KEY,
	person_id  uuid        NOT NULL REFERENCES person,
	till       timestamptz NOT NULL,
	used_at    timestamptz
);

CREATE INDEX not_me_person_id ON not_me (person_id);
