-- +goose Up

-- The journal is kept by the months in which things happened, so that a month goes as a whole when its time is over; and each month is a
-- chain: an entry is linked to the one before it when it gets its place, so that none can be changed or taken out unseen. The form is that of
-- provider/chain, which reckons it again from the rows.
ALTER TABLE journal RENAME TO journal_before;
ALTER TABLE journal_before
	DROP CONSTRAINT journal_pkey,
	DROP CONSTRAINT journal_cursor_once,
	DROP CONSTRAINT journal_actor_known;

DROP INDEX journal_person;
DROP TRIGGER journal_is_append_only ON journal_before;
DROP FUNCTION journal_is_append_only;

-- An entry that came by the feed has the id of the provider's event, by which it stands once.
CREATE TABLE journal (
	id        uuid        NOT NULL,
	person_id uuid        NOT NULL,
	at        timestamptz NOT NULL,
	kind      text        COLLATE "C" NOT NULL,
	actor     text        NOT NULL,
	client_id text,
	office    text,
	acr       text,
	agent     text,
	detail    jsonb,
	place     bigint,
	link      bytea,
	PRIMARY KEY (id, at),
	CONSTRAINT journal_actor_known CHECK (actor IN ('self', 'staff', 'system', 'client')),
	CONSTRAINT journal_place_is_one CHECK (place > 0),
	CONSTRAINT journal_is_linked_in_its_place CHECK ((place IS NULL) = (link IS NULL))
) PARTITION BY RANGE (at);

CREATE INDEX journal_person ON journal (person_id, at DESC, id DESC);

-- A place in a month is given once: the sealer sees to it. What has none yet is in no index by place.
CREATE INDEX journal_place ON journal (place) WHERE place IS NOT NULL;
CREATE INDEX journal_unplaced ON journal (id) WHERE place IS NULL;

-- What is of no month that was made.
CREATE TABLE journal_otherwise PARTITION OF journal DEFAULT;

-- +goose StatementBegin
CREATE FUNCTION journal_month(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT date_trunc('month', at AT TIME ZONE 'UTC')::date;
END;
-- +goose StatementEnd

-- Each field as its length, a colon and itself; where there is none, the colon alone.
-- +goose StatementBegin
CREATE FUNCTION journal_record(e journal) RETURNS bytea LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT convert_to(format(repeat('%s:%s', 10),
		octet_length(e.id::text), e.id::text,
		octet_length(e.person_id::text), e.person_id::text,
		octet_length((extract(epoch FROM e.at) * 1000000)::bigint::text), (extract(epoch FROM e.at) * 1000000)::bigint::text,
		octet_length(e.kind), e.kind,
		octet_length(e.actor), e.actor,
		octet_length(e.client_id), e.client_id,
		octet_length(e.office), e.office,
		octet_length(e.acr), e.acr,
		octet_length(e.agent), e.agent,
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

-- How far the chain of a month has come.
CREATE TABLE journal_head (
	month date   PRIMARY KEY,
	place bigint NOT NULL,
	link  bytea  NOT NULL
);

-- The heads as they were on a day, signed: whoever keeps a copy elsewhere proves by it that nothing before was changed since.
CREATE TABLE journal_root (
	day    date        PRIMARY KEY,
	signed text        NOT NULL,
	at     timestamptz NOT NULL
);

-- What was written stays as it is: all that may follow is the place, once.

-- +goose StatementBegin
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the journal is append-only';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER journal_is_append_only BEFORE UPDATE ON journal FOR EACH ROW
	WHEN (OLD.place IS NOT NULL
		OR (OLD.id, OLD.person_id, OLD.at, OLD.kind, OLD.actor, OLD.client_id, OLD.office, OLD.acr, OLD.agent, OLD.detail)
		IS DISTINCT FROM
		(NEW.id, NEW.person_id, NEW.at, NEW.kind, NEW.actor, NEW.client_id, NEW.office, NEW.acr, NEW.agent, NEW.detail))
	EXECUTE FUNCTION journal_is_append_only();

CREATE TRIGGER journal_stays BEFORE DELETE ON journal FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER journal_stays_whole BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER journal_stays_whole BEFORE TRUNCATE ON journal_otherwise FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Makes the tables of the months after the last that there is, up to a day and at most a year ahead. Whoever may call it can make them and no
-- more: they belong to whom the journal belongs to. The first is of the month in which the first cabinet could have been; a month that was
-- dropped is not made again.
-- +goose StatementBegin
CREATE FUNCTION journal_make_months(till date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
	month date;
	part  text;
BEGIN
	LOCK TABLE journal_head IN SHARE UPDATE EXCLUSIVE MODE; -- one at a time
	SELECT coalesce(max(to_date(right(relid::regclass::text, 7), 'YYYY_MM')) + interval '1 month', '2026-01-01')
	INTO month FROM pg_partition_tree('journal') WHERE isleaf AND relid::regclass::text ~ '^journal_[0-9]{4}_[0-9]{2}$';
	WHILE month <= least(till, now()::date + 365) LOOP
		part := to_char(month, '"journal_"YYYY_MM');
		-- To attach a table waits for no act and holds up none; to make it as a part would.
		EXECUTE format('CREATE TABLE %I (LIKE journal INCLUDING ALL)', part);
		EXECUTE format('CREATE TRIGGER journal_stays_whole BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()', part);
		EXECUTE format('ALTER TABLE journal ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
			part, month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
		month := month + interval '1 month';
	END LOOP;
END
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION journal_make_months FROM PUBLIC;

SELECT journal_make_months((now() + interval '3 months')::date);

INSERT INTO journal (id, person_id, at, kind, actor, client_id, office, acr, agent, detail)
SELECT id, person_id, at, kind, actor, client_id, office, acr, agent, detail FROM journal_before WHERE cursor IS NULL;

-- What came by the feed comes again, under the provider's own ids: it may be read anew at any time.
UPDATE follow SET cursor = '0';

DROP TABLE journal_before;

-- What the cabinet signs with, sealed, and the key sets by which it seals (provider/seal).
CREATE TABLE signing_key (
	kid         text        COLLATE "C" PRIMARY KEY,
	private_key bytea       NOT NULL,
	created_at  timestamptz NOT NULL
);

CREATE TABLE key_set (
	name       text        PRIMARY KEY,
	wrapped    bytea       NOT NULL,
	created_at timestamptz NOT NULL,
	changed_at timestamptz NOT NULL
);
