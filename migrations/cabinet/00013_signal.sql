-- +goose Up

-- Grants by which an e-service may read a profile while its citizen is away, as the feed told of them: who holds one is told what becomes of
-- that citizen.
CREATE TABLE reader (
	grant_id  uuid        PRIMARY KEY,
	person_id uuid        NOT NULL,
	client_id text        COLLATE "C" NOT NULL,
	at        timestamptz NOT NULL
);

CREATE INDEX reader_person ON reader (person_id, client_id);
CREATE INDEX reader_at ON reader (at);

-- What happened, as it is told to one e-service. It is told in the order of places, which are given once it is committed, so that whoever
-- has read as far as one misses none before it.
CREATE TABLE signal (
	id        uuid        PRIMARY KEY,
	client_id text        COLLATE "C" NOT NULL,
	subject   text        COLLATE "C" NOT NULL,
	at        timestamptz NOT NULL,
	kind      text        COLLATE "C" NOT NULL,
	detail    jsonb       NOT NULL,
	place     bigint,
	placed_at timestamptz,
	CONSTRAINT signal_is_placed_at_a_time CHECK ((place IS NULL) = (placed_at IS NULL))
);

CREATE UNIQUE INDEX signal_feed ON signal (client_id, place) WHERE place IS NOT NULL;
CREATE INDEX signal_unplaced ON signal (at, id) WHERE place IS NULL;
CREATE INDEX signal_placed_at ON signal (placed_at);

-- The last place that was given.
CREATE TABLE signal_head (
	id    boolean PRIMARY KEY DEFAULT true,
	place bigint  NOT NULL,
	CONSTRAINT signal_head_one_row CHECK (id)
);

INSERT INTO signal_head (place) VALUES (0);

-- E-services that are told at an address of theirs, and how it goes; and how far the signals of each were dropped, their time being over.
CREATE TABLE subscriber (
	client_id text        COLLATE "C" PRIMARY KEY,
	dropped   bigint      NOT NULL DEFAULT 0,
	url       text,
	told      bigint      NOT NULL DEFAULT 0,
	missed    integer     NOT NULL DEFAULT 0,
	tries     integer     NOT NULL DEFAULT 0,
	first_at  timestamptz,
	tried_at  timestamptz,
	status    integer,
	next_at   timestamptz
);

COMMENT ON COLUMN subscriber.told IS 'the place of the last signal that was taken, or given up';
COMMENT ON COLUMN subscriber.missed IS 'how many were given up';
COMMENT ON COLUMN subscriber.tries IS 'in vain, of the signal after that; from first_at on';

CREATE INDEX subscriber_next ON subscriber (next_at) WHERE url IS NOT NULL;

-- The wall stands between e-services too.
CREATE FUNCTION client_id() RETURNS text LANGUAGE sql STABLE
RETURN nullif(current_setting('cabinet.client', true), '');

ALTER TABLE signal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE subscriber ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY of_the_client ON signal USING (client_id() IS NULL OR client_id = client_id());
CREATE POLICY of_the_client ON subscriber USING (client_id() IS NULL OR client_id = client_id());
