-- +goose Up

-- Where the cabinet stands in the provider's feed of changes. One row.
CREATE TABLE follow (
	id     boolean     PRIMARY KEY DEFAULT true CHECK (id),
	place  bigint      NOT NULL,
	at     timestamptz NOT NULL
);

-- A personal electronic cabinet (order 82). It is made for everyone in the
-- register; official values are copies and read-only here.
CREATE TABLE cabinet (
	person_id             uuid        PRIMARY KEY,
	identification_number text        COLLATE "C" NOT NULL,
	state                 text        NOT NULL,
	state_reason          text,
	state_at              timestamptz NOT NULL,
	sex                   text        NOT NULL,
	birth_date            text        COLLATE "C" NOT NULL,
	citizenship           text        COLLATE "C" NOT NULL,
	incapable_date        date,
	limited_date          date,
	edition               bigint      NOT NULL,
	created_at            timestamptz NOT NULL,
	CONSTRAINT cabinet_identification_number_once UNIQUE (identification_number) DEFERRABLE INITIALLY DEFERRED,
	CONSTRAINT cabinet_state_known CHECK (state IN ('not_activated', 'activated', 'deactivated')),
	CONSTRAINT cabinet_deactivated_for_a_reason CHECK ((state = 'deactivated') = (state_reason IS NOT NULL))
);

-- The citizen's journal (order 82, p. 4): all that happened, as the citizen sees it.
-- Entries that came by the feed carry its place, so that each stands once.
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
	object    text,
	place     bigint,
	CONSTRAINT journal_actor_known CHECK (actor IN ('self', 'staff', 'system', 'client')),
	CONSTRAINT journal_place_once UNIQUE (place)
);

CREATE INDEX journal_person ON journal (person_id, at DESC, id);
