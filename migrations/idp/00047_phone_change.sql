-- +goose Up

-- Another phone that a citizen asks for himself. While it is pending, the code to it having come back, nobody else can have it.
CREATE TABLE phone_change (
	person_id   uuid        PRIMARY KEY REFERENCES identity,
	phone       bytea       NOT NULL,
	phone_index bytea       NOT NULL,
	language    text        NOT NULL,
	asked_at    timestamptz NOT NULL,
	due_at      timestamptz
);

CREATE UNIQUE INDEX phone_change_held ON phone_change (phone_index) WHERE due_at IS NOT NULL;
