-- +goose Up

-- Events become a chain: each is linked to the one before it when it gets its
-- place, so that none can be changed or taken out unseen. The form is that of
-- provider/chain, which reckons it again from the rows.

-- They are kept by the year in which they were recorded, which their ids begin
-- with (RFC 9562 §5.7), so that a year goes as a whole when its time is over.
ALTER TABLE event RENAME TO event_before;
ALTER TABLE event_before
	DROP CONSTRAINT event_pkey,
	DROP CONSTRAINT event_place_once;

DROP INDEX event_unplaced, event_person, event_client, event_signed_out;

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
	link      bytea,
	CONSTRAINT event_place_is_one CHECK (place > 0),
	CONSTRAINT event_is_linked_in_its_place CHECK ((place IS NULL) = (link IS NULL))
) PARTITION BY RANGE (id);

-- +goose StatementBegin
CREATE FUNCTION first_id_of(year int) RETURNS uuid LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT rpad(lpad(to_hex((extract(epoch FROM make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC')) * 1000)::bigint), 12, '0'), 32, '0')::uuid;
END;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
	FOR year IN 2026..2040 LOOP
		EXECUTE format('CREATE TABLE event_%s PARTITION OF event FOR VALUES FROM (%L) TO (%L)', year, first_id_of(year), first_id_of(year + 1));
	END LOOP;
END;
$$;
-- +goose StatementEnd

CREATE TABLE event_otherwise PARTITION OF event DEFAULT;

-- A place is given once, which no index of many parts can hold: the sealer sees to it. What has none yet is in no index by place.
CREATE INDEX event_place ON event (place) WHERE place IS NOT NULL;
CREATE INDEX event_unplaced ON event (id) WHERE place IS NULL;
CREATE INDEX event_person ON event (person_id, place) WHERE place IS NOT NULL;
CREATE INDEX event_client ON event (client_id, place) WHERE kind LIKE 'client.%' AND place IS NOT NULL;

-- Each field as its length, a colon and itself; where there is none, the colon alone.
-- +goose StatementBegin
CREATE FUNCTION event_record(e event) RETURNS bytea LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT convert_to(format(repeat('%s:%s', 13),
		octet_length(e.id::text), e.id::text,
		octet_length((extract(epoch FROM e.at) * 1000000)::bigint::text), (extract(epoch FROM e.at) * 1000000)::bigint::text,
		octet_length(e.kind), e.kind,
		octet_length(e.person_id::text), e.person_id::text,
		octet_length(e.clerk_id::text), e.clerk_id::text,
		octet_length(e.office), e.office,
		octet_length(e.client_id), e.client_id,
		octet_length(e.sid), e.sid,
		octet_length(e.gid::text), e.gid::text,
		octet_length(e.acr), e.acr,
		octet_length(e.agent), e.agent,
		octet_length(e.edition::text), e.edition::text,
		octet_length(e.detail::text), e.detail::text), 'UTF8');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION chain_next(link bytea, first bytea, record bytea) RETURNS bytea LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT sha256(coalesce(link, first) || record);
END;
-- +goose StatementEnd

-- The link of each record in a window, from the one before the first.
CREATE AGGREGATE chain(first bytea, record bytea) (SFUNC = chain_next, STYPE = bytea);

INSERT INTO event (id, place, at, kind, person_id, clerk_id, office, client_id, sid, gid, acr, agent, edition, detail, link)
SELECT id, place, at, kind, person_id, clerk_id, office, client_id, sid, gid, acr, agent, edition, detail, place::text::bytea
FROM event_before;

UPDATE event SET link = linked.link
FROM (
	SELECT id, chain(decode(repeat('00', 32), 'hex'), event_record(e)) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) AS link
	FROM event AS e WHERE place IS NOT NULL
) AS linked
WHERE event.id = linked.id;

-- Where the chain has come to. One row.
CREATE TABLE event_head (
	one   boolean PRIMARY KEY DEFAULT true CHECK (one),
	place bigint  NOT NULL,
	link  bytea   NOT NULL
);

INSERT INTO event_head (place, link)
SELECT coalesce(max(place), 0), coalesce((SELECT link FROM event ORDER BY place DESC NULLS LAST LIMIT 1), decode(repeat('00', 32), 'hex'))
FROM event;

-- Where it begins: behind the last event of the last year that was dropped. One row.
CREATE TABLE event_base (LIKE event_head INCLUDING ALL);

INSERT INTO event_base (place, link) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Which sessions were signed out of lately: a code that came from one gives nothing.
CREATE TABLE signed_out (
	sid text        COLLATE "C" PRIMARY KEY,
	at  timestamptz NOT NULL
);

CREATE INDEX signed_out_at ON signed_out (at);

INSERT INTO signed_out (sid, at)
SELECT sid, max(at) FROM event WHERE kind = 'signed_out' AND sid IS NOT NULL GROUP BY sid;

DROP TABLE event_before;

-- What was recorded stays as it is: all that may follow is the place, once.

-- +goose StatementBegin
CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'events are not to be changed or taken out';
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event FOR EACH ROW
	WHEN (OLD.place IS NOT NULL
		OR (OLD.id, OLD.at, OLD.kind, OLD.person_id, OLD.clerk_id, OLD.office, OLD.client_id, OLD.sid, OLD.gid, OLD.acr, OLD.agent, OLD.edition, OLD.detail)
		IS DISTINCT FROM
		(NEW.id, NEW.at, NEW.kind, NEW.person_id, NEW.clerk_id, NEW.office, NEW.client_id, NEW.sid, NEW.gid, NEW.acr, NEW.agent, NEW.edition, NEW.detail))
	EXECUTE FUNCTION event_is_append_only();

CREATE TRIGGER event_stays BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION event_is_append_only();

-- +goose StatementBegin
DO $$
DECLARE part regclass;
BEGIN
	FOR part IN SELECT relid FROM pg_partition_tree('event') LOOP
		EXECUTE format('CREATE TRIGGER event_stays_whole BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only()', part);
	END LOOP;
END;
$$;
-- +goose StatementEnd

-- The last link of a day, signed: whoever keeps a copy elsewhere proves by it that nothing before was changed since.
CREATE TABLE audit_root (
	day    date        PRIMARY KEY,
	place  bigint      NOT NULL,
	signed text        NOT NULL,
	at     timestamptz NOT NULL
);
