-- +goose Up

-- Key sets that seal personal columns and keys, wrapped by the master key.
CREATE TABLE key_set (
	name       text        PRIMARY KEY,
	wrapped    bytea       NOT NULL,
	created_at timestamptz NOT NULL
);

-- The provider's signing keys; the private part is sealed.
CREATE TABLE signing_key (
	kid         text        COLLATE "C" PRIMARY KEY,
	alg         text        NOT NULL,
	state       text        NOT NULL,
	private_key bytea       NOT NULL,
	public_key  jsonb       NOT NULL,
	created_at  timestamptz NOT NULL,
	changed_at  timestamptz NOT NULL,
	CONSTRAINT signing_key_state_known CHECK (state IN ('next', 'active', 'retired'))
);

CREATE UNIQUE INDEX signing_key_one_active ON signing_key (alg) WHERE state = 'active';

-- Registered clients: RFC 7591 metadata as given, with ours beside it.
CREATE TABLE client (
	client_id   text        COLLATE "C" PRIMARY KEY,
	secret_hash bytea,
	metadata    jsonb       NOT NULL,
	created_at  timestamptz NOT NULL,
	changed_at  timestamptz NOT NULL,
	removed_at  timestamptz
);

-- What one sign-in gave one client. "grant" is a word of SQL, hence the name.
-- client_id has no foreign key: every exchange would lock the one row of a busy
-- client, and clients are never deleted.
CREATE TABLE client_grant (
	id         uuid        PRIMARY KEY,
	person_id  uuid        NOT NULL REFERENCES person,
	client_id  text        COLLATE "C" NOT NULL,
	sid        text        NOT NULL,
	scopes     text[]      NOT NULL,
	audience   text[]      NOT NULL,
	auth_time  timestamptz NOT NULL,
	acr        text        NOT NULL,
	amr        text[]      NOT NULL,
	given_at   timestamptz, -- NULL: ended before it was given, its code having come twice
	till       timestamptz NOT NULL,
	ended_at   timestamptz,
	ended_why  text,
	CONSTRAINT client_grant_given_or_ended CHECK (given_at IS NOT NULL OR ended_at IS NOT NULL)
);

CREATE INDEX client_grant_person_id ON client_grant (person_id, till);
CREATE INDEX client_grant_sid ON client_grant (sid) WHERE ended_at IS NULL;
CREATE INDEX client_grant_ended_at ON client_grant (ended_at) WHERE ended_at IS NOT NULL;

-- Refresh tokens of a grant, by digest; a used one stays, so that reuse is seen.
CREATE TABLE refresh_token (
	token_hash bytea       PRIMARY KEY,
	grant_id   uuid        NOT NULL REFERENCES client_grant,
	issued_at  timestamptz NOT NULL,
	till       timestamptz NOT NULL,
	used_at    timestamptz
);

CREATE INDEX refresh_token_grant_id ON refresh_token (grant_id);

-- What a person has agreed to release to a client, or was informed of where the
-- client has an official basis. The history is in the events.
CREATE TABLE agreement (
	person_id    uuid        NOT NULL REFERENCES person,
	client_id    text        COLLATE "C" NOT NULL REFERENCES client,
	scope        text        COLLATE "C" NOT NULL,
	basis        text        NOT NULL,
	given_at     timestamptz NOT NULL,
	till         timestamptz NOT NULL,
	withdrawn_at timestamptz,
	PRIMARY KEY (person_id, client_id, scope),
	CONSTRAINT agreement_basis_known CHECK (basis IN ('consent', 'official'))
);

CREATE INDEX agreement_client_id ON agreement (client_id);
