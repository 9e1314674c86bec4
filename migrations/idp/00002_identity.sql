-- +goose Up

-- The unique identifier's life (resolution 792). Phone, names and document are
-- sealed; phone and document are found by their blind index.
CREATE TABLE identity (
	person_id      uuid        PRIMARY KEY REFERENCES person,
	state          text        NOT NULL,
	block_reason   text,
	password_hash  text,
	password_till  timestamptz,
	failures       integer     NOT NULL DEFAULT 0,
	phone          bytea       NOT NULL,
	phone_index    bytea       NOT NULL,
	names          bytea,
	document       bytea,
	document_index bytea,
	issued_at      timestamptz NOT NULL,
	changed_at     timestamptz NOT NULL,
	CONSTRAINT identity_state_known CHECK (state IN ('temporary', 'active', 'blocked')),
	CONSTRAINT identity_block_reason_known CHECK (block_reason IN ('self', 'desk', 'register', 'security')),
	CONSTRAINT identity_blocked_for_a_reason CHECK ((state = 'blocked') = (block_reason IS NOT NULL)),
	CONSTRAINT identity_temporary_password_has_a_term CHECK (password_till IS NULL OR state = 'temporary'),
	CONSTRAINT identity_phone_once UNIQUE (phone_index)
);

-- The moment before which a person's sign-ins are worth nothing.
CREATE TABLE ended (
	person_id uuid        PRIMARY KEY REFERENCES person,
	at        timestamptz NOT NULL,
	why       text        NOT NULL
);

CREATE INDEX ended_at ON ended (at);

-- Browsers that a person has signed in from; the cookie's token is kept as a digest.
CREATE TABLE known_browser (
	person_id  uuid        NOT NULL REFERENCES person,
	token_hash bytea       NOT NULL,
	agent      text        NOT NULL,
	first_at   timestamptz NOT NULL,
	last_at    timestamptz NOT NULL,
	till       timestamptz NOT NULL,
	PRIMARY KEY (person_id, token_hash)
);

-- The desk's staff. A clerk is a person with an identifier like any other.
CREATE TABLE clerk (
	person_id  uuid        PRIMARY KEY REFERENCES person,
	office     text        NOT NULL,
	role       text        NOT NULL,
	added_at   timestamptz NOT NULL,
	removed_at timestamptz,
	CONSTRAINT clerk_role_known CHECK (role IN ('clerk', 'supervisor', 'operator', 'auditor'))
);

-- An issuance from the visit's beginning to the assignment of the identifier.
-- What was presented (document, names, phone) is sealed.
CREATE TABLE issuance (
	id                 uuid        PRIMARY KEY,
	person_id          uuid        NOT NULL REFERENCES person,
	presented          bytea       NOT NULL,
	attested           text[]      NOT NULL,
	basis_number       text        NOT NULL,
	basis_date         date        NOT NULL,
	clerk_id           uuid        NOT NULL REFERENCES clerk,
	office             text        NOT NULL,
	client_id          text        COLLATE "C" NOT NULL,
	language           text        NOT NULL,
	opened_at          timestamptz NOT NULL,
	phone_confirmed_at timestamptz,
	assigned_at        timestamptz,
	CONSTRAINT issuance_assigned_after_the_phone CHECK (assigned_at IS NULL OR phone_confirmed_at IS NOT NULL)
);

CREATE INDEX issuance_person_id ON issuance (person_id);
CREATE INDEX issuance_clerk_id ON issuance (clerk_id);

-- The paper of every other act of the desk upon an identifier: on whose
-- application, by what document, attested by whom.
CREATE TABLE desk_act (
	id           uuid        PRIMARY KEY,
	person_id    uuid        NOT NULL REFERENCES person,
	kind         text        NOT NULL,
	presented    bytea       NOT NULL,
	attested     text[]      NOT NULL,
	basis_number text        NOT NULL,
	basis_date   date        NOT NULL,
	clerk_id     uuid        NOT NULL REFERENCES clerk,
	office       text        NOT NULL,
	client_id    text        COLLATE "C" NOT NULL,
	at           timestamptz NOT NULL,
	CONSTRAINT desk_act_kind_known CHECK (kind IN ('block', 'unblock', 'reissue'))
);

CREATE INDEX desk_act_person_id ON desk_act (person_id);
CREATE INDEX desk_act_clerk_id ON desk_act (clerk_id);
