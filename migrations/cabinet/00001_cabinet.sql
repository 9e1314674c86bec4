-- +goose Up

-- Where the cabinet stands in the provider's feed of changes, and up to when it has heard everything. One row.
CREATE TABLE follow (
	id       boolean     PRIMARY KEY DEFAULT true,
	cursor   text        COLLATE "C" NOT NULL,
	heard_at timestamptz NOT NULL,
	CONSTRAINT follow_one_row CHECK (id)
);

INSERT INTO follow (cursor, heard_at) VALUES ('0', 'epoch');

-- Editions of the register that the feed announced: when each was applied there, and how far its people have been
-- read here.
CREATE TABLE edition (
	id      bigint      PRIMARY KEY,
	at      timestamptz NOT NULL,
	after   uuid        NOT NULL,
	read_at timestamptz
);

CREATE INDEX edition_unread ON edition (id) WHERE read_at IS NULL;

-- A personal electronic cabinet (order 82). It is made for everyone in the register; official values are copies
-- and read-only here. A number that went to somebody else is nobody's until the register's next page names it.
CREATE TABLE cabinet (
	person_id             uuid        PRIMARY KEY,
	identification_number text        COLLATE "C",
	state                 text        NOT NULL,
	state_reason          text,
	state_at              timestamptz NOT NULL,
	sex                   text        NOT NULL,
	birth_date            text        COLLATE "C" NOT NULL,
	citizenship           text        COLLATE "C" NOT NULL,
	incapable_date        date,
	limited_date          date,
	updated_at            timestamptz NOT NULL,
	created_at            timestamptz NOT NULL,
	CONSTRAINT cabinet_identification_number_once UNIQUE (identification_number),
	CONSTRAINT cabinet_state_known CHECK (state IN ('not_activated', 'activated', 'deactivated')),
	CONSTRAINT cabinet_reason_known CHECK (state_reason IN ('death', 'declared_dead', 'missing')),
	CONSTRAINT cabinet_deactivated_for_a_reason CHECK ((state = 'deactivated') = (state_reason IS NOT NULL))
);

-- Sign-ins that are worth nothing any more: id is a person or a grant, and every sign-in of it not later than at is
-- refused. A row is needed only as long as a web session may live.
CREATE TABLE ended (
	id uuid        PRIMARY KEY,
	at timestamptz NOT NULL
);

CREATE INDEX ended_at ON ended (at);

-- What e-services are called, by language, as the feed said last; '' is the name for all other languages.
CREATE TABLE client (
	id   text  COLLATE "C" PRIMARY KEY,
	name jsonb NOT NULL
);

-- The citizen's journal (order 82, p. 4): all that happened, as the citizen sees it.
-- Entries that came by the feed carry its cursor, so that each stands once.
CREATE TABLE journal (
	id        uuid        PRIMARY KEY,
	person_id uuid        NOT NULL,
	at        timestamptz NOT NULL,
	kind      text        COLLATE "C" NOT NULL,
	actor     text        NOT NULL,
	client_id text,
	office    text,
	acr       text,
	agent     text,
	detail    jsonb,
	cursor    text        COLLATE "C",
	CONSTRAINT journal_actor_known CHECK (actor IN ('self', 'staff', 'system', 'client')),
	CONSTRAINT journal_cursor_once UNIQUE (cursor)
);

CREATE INDEX journal_person ON journal (person_id, at DESC, id DESC);

-- +goose StatementBegin
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the journal is append-only';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
	FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
