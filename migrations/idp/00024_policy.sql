-- +goose Up

-- What the law leaves to the operator's regulation (order 82, p. 3): each row is a value of an item, which one of the
-- operator's staff proposed and another approved, and the document that it rests on. Rows stay: they tell what was in
-- force when.
CREATE TABLE policy (
	id            uuid        PRIMARY KEY,
	name          text        COLLATE "C" NOT NULL,
	value         text        NOT NULL,
	in_force_from timestamptz NOT NULL,
	ground_title  text        NOT NULL,
	ground_number text        NOT NULL,
	ground_date   date        NOT NULL,
	state         text        NOT NULL,
	author        uuid        NOT NULL REFERENCES person,
	proposed_at   timestamptz NOT NULL,
	decided_by    uuid        REFERENCES person,
	decided_at    timestamptz,
	CONSTRAINT policy_state_known CHECK (state IN ('open', 'approved', 'refused')),
	CONSTRAINT policy_decided_once CHECK ((state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)),
	CONSTRAINT policy_decided_by_another CHECK (decided_by <> author),
	CONSTRAINT policy_never_in_force_before_it_was_approved CHECK (state <> 'approved' OR in_force_from >= decided_at)
);

CREATE INDEX policy_in_force ON policy (name, in_force_from) WHERE state = 'approved';
CREATE INDEX policy_author ON policy (author);
CREATE INDEX policy_decided_by ON policy (decided_by);
