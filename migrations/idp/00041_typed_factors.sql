-- +goose Up

-- The authenticator apps of people (RFC 6238), one each. The secret is sealed for
-- its person. step is the last that was accepted, so that none is accepted twice
-- (§5.2); failures are the wrong answers since, in a row.
CREATE TABLE authenticator (
	person_id uuid        PRIMARY KEY REFERENCES person,
	secret    bytea       NOT NULL,
	step      bigint      NOT NULL,
	failures  integer     NOT NULL,
	added_at  timestamptz NOT NULL,
	used_at   timestamptz
);

-- The recovery codes of people, a set each: keyed digests of those that are left.
CREATE TABLE recovery_codes (
	person_id uuid        PRIMARY KEY REFERENCES person,
	digests   bytea[]     NOT NULL,
	made_at   timestamptz NOT NULL
);
