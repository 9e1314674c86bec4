-- +goose Up

-- People whom one of the operator's staff wants restored, on the act of a court or an authority: they are alive, and found. Another one
-- decides.
CREATE TABLE restoration (
	id           uuid        PRIMARY KEY,
	person_id    uuid        NOT NULL REFERENCES person,
	basis_number text        NOT NULL,
	basis_date   date        NOT NULL,
	state        text        NOT NULL,
	proposed_by  uuid        NOT NULL REFERENCES person,
	proposed_at  timestamptz NOT NULL,
	decided_by   uuid        REFERENCES person,
	decided_at   timestamptz,
	CONSTRAINT restoration_state_known CHECK (state IN ('open', 'approved', 'refused')),
	CONSTRAINT restoration_decided_once CHECK ((state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)),
	CONSTRAINT restoration_decided_by_another CHECK (decided_by <> proposed_by)
);

CREATE INDEX restoration_person_id ON restoration (person_id);
CREATE INDEX restoration_proposed_at ON restoration (proposed_at);
CREATE INDEX restoration_proposed_by ON restoration (proposed_by);
CREATE INDEX restoration_decided_by ON restoration (decided_by);

-- What the register had said of somebody until the operator took it back. While it says the very same, it is not listened to.
CREATE TABLE taken_back (
	person_id          uuid        NOT NULL REFERENCES person,
	at                 timestamptz NOT NULL,
	death_date         date,
	death_act          text,
	declared_dead_date date,
	declared_dead_act  text,
	missing_date       date,
	missing_act        text,
	PRIMARY KEY (person_id, at)
);
