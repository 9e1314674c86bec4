-- +goose Up

-- Numbers that were somebody's until at: a sign-in under one not later than that is worth nothing, whoever has the number now. A row is needed
-- only as long as a web session may live.
CREATE TABLE ended_number (
	identification_number text        COLLATE "C" PRIMARY KEY,
	at                    timestamptz NOT NULL
);

CREATE INDEX ended_number_at ON ended_number (at);

ALTER TABLE ended_number ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY of_the_subject ON ended_number USING (subject() IS NULL OR identification_number = subject());
