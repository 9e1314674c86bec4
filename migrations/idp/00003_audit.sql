-- +goose Up

-- What happened. An event is written in the act's own transaction without a
-- place; the sealer gives places in commit order, and the feed reads by place.
CREATE TABLE event (
	id        uuid        PRIMARY KEY,
	place     bigint,
	at        timestamptz NOT NULL,
	kind      text        COLLATE "C" NOT NULL,
	person_id uuid,
	clerk_id  uuid,
	office    text,
	client_id text,
	sid       text,
	gid       uuid,
	acr       text,
	agent     text,
	edition   bigint,
	detail    jsonb,
	CONSTRAINT event_place_once UNIQUE (place)
);

CREATE INDEX event_unplaced ON event (id) WHERE place IS NULL;
CREATE INDEX event_person ON event (person_id, place);
