-- +goose Up

-- Identifiers that one of the operator's staff wants blocked, because somebody else may have taken them over. Another one decides.
CREATE TABLE security_block (
	id           uuid        PRIMARY KEY,
	reason       text        NOT NULL,
	basis_number text        NOT NULL,
	basis_date   date        NOT NULL,
	state        text        NOT NULL,
	proposed_by  uuid        NOT NULL REFERENCES person,
	proposed_at  timestamptz NOT NULL,
	decided_by   uuid        REFERENCES person,
	decided_at   timestamptz,
	CONSTRAINT security_block_reason_known CHECK (reason IN ('takeover', 'leak', 'deceit')),
	CONSTRAINT security_block_state_known CHECK (state IN ('open', 'approved', 'refused')),
	CONSTRAINT security_block_decided_once CHECK ((state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)),
	CONSTRAINT security_block_decided_by_another CHECK (decided_by <> proposed_by)
);

CREATE INDEX security_block_proposed_at ON security_block (proposed_at);
CREATE INDEX security_block_proposed_by ON security_block (proposed_by);
CREATE INDEX security_block_decided_by ON security_block (decided_by);

-- Whose they are, and whether the approval has blocked them: not where they were blocked already.
CREATE TABLE security_block_person (
	block_id  uuid    NOT NULL REFERENCES security_block,
	person_id uuid    NOT NULL REFERENCES person,
	blocked   boolean NOT NULL DEFAULT false,
	PRIMARY KEY (block_id, person_id)
);

CREATE INDEX security_block_person_person_id ON security_block_person (person_id);
