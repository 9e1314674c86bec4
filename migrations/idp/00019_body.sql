-- +goose Up

-- Bodies: organisations that run e-services. "names" are by language, "" for all others.
CREATE TABLE body (
	id       uuid        PRIMARY KEY,
	names    jsonb       NOT NULL,
	added_at timestamptz NOT NULL
);

-- The people who may act for a body; one who was removed stays on record.
CREATE TABLE representative (
	body_id    uuid        NOT NULL REFERENCES body,
	person_id  uuid        NOT NULL REFERENCES person,
	named_at   timestamptz NOT NULL,
	removed_at timestamptz,
	PRIMARY KEY (body_id, person_id)
);

CREATE INDEX representative_person_id ON representative (person_id);

-- A body's client begins as a draft, in which only made-up people sign in. Without an owner it is the operator's own.
ALTER TABLE client
	ADD COLUMN stage    text NOT NULL DEFAULT 'live',
	ADD COLUMN owner_id uuid REFERENCES body,
	ADD CONSTRAINT client_stage_known CHECK (stage IN ('draft', 'live')),
	ADD CONSTRAINT client_draft_has_an_owner CHECK (stage = 'live' OR owner_id IS NOT NULL);

CREATE INDEX client_owner_id ON client (owner_id) WHERE owner_id IS NOT NULL;

-- What a representative wants a client to become, over the version that they saw. A second person decides; none did where the
-- operator's command has.
CREATE TABLE proposal (
	id          uuid        PRIMARY KEY,
	client_id   text        COLLATE "C" NOT NULL REFERENCES client,
	version     bigint      NOT NULL,
	metadata    jsonb       NOT NULL,
	state       text        NOT NULL,
	proposed_by uuid        NOT NULL REFERENCES person,
	proposed_at timestamptz NOT NULL,
	decided_by  uuid        REFERENCES person,
	decided_at  timestamptz,
	reason      text,
	CONSTRAINT proposal_state_known CHECK (state IN ('open', 'approved', 'refused', 'withdrawn')),
	CONSTRAINT proposal_decided_once CHECK ((state = 'open') = (decided_at IS NULL)),
	CONSTRAINT proposal_decided_by_another CHECK (state = 'withdrawn' OR decided_by <> proposed_by),
	CONSTRAINT proposal_refused_for_a_reason CHECK ((state = 'refused') = (reason IS NOT NULL))
);

-- Of a client there is one open proposal at most.
CREATE UNIQUE INDEX proposal_one_open ON proposal (client_id) WHERE state = 'open';
CREATE INDEX proposal_client_id ON proposal (client_id, proposed_at);
CREATE INDEX proposal_proposed_by ON proposal (proposed_by);
CREATE INDEX proposal_decided_by ON proposal (decided_by);
