-- +goose Up

-- Makes months as before; and takes into each the entries that came before it was made, which would else stand in its way for good. Whoever reads
-- the whole journal for long is not waited for: others would wait behind. It is tried again.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION journal_make_months(till date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '1s' AS $$
DECLARE
	month  date;
	part   text;
	starts timestamptz;
	ends   timestamptz;
BEGIN
	LOCK TABLE journal_head IN SHARE UPDATE EXCLUSIVE MODE; -- one at a time
	SELECT coalesce(max(to_date(right(relid::regclass::text, 7), 'YYYY_MM')) + interval '1 month', '2026-01-01')
	INTO month FROM pg_partition_tree('journal') WHERE isleaf AND relid::regclass::text ~ '^journal_[0-9]{4}_[0-9]{2}$';
	WHILE month <= least(till, now()::date + 365) LOOP
		part := to_char(month, '"journal_"YYYY_MM');
		starts := month::timestamp AT TIME ZONE 'UTC';
		ends := (month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
		-- To attach a table waits for no act and holds up none; to make it as a part would.
		EXECUTE format('CREATE TABLE %I (LIKE journal INCLUDING ALL)', part);
		IF EXISTS (SELECT FROM journal_otherwise WHERE at >= starts AND at < ends) THEN
			PERFORM pg_advisory_xact_lock(117026944347756); -- the sealer's: nothing gets a place on its way
			ALTER TABLE journal_otherwise DISABLE TRIGGER journal_stays; -- which lets nobody write there till the end of this
			EXECUTE format('WITH early AS (
					DELETE FROM journal_otherwise WHERE at >= %L AND at < %L
					RETURNING id, person_id, at, kind, actor, client_id, office, acr, agent, detail, place, link
				)
				INSERT INTO %I (id, person_id, at, kind, actor, client_id, office, acr, agent, detail, place, link)
				SELECT id, person_id, at, kind, actor, client_id, office, acr, agent, detail, place, link FROM early', starts, ends, part);
			ALTER TABLE journal_otherwise ENABLE TRIGGER journal_stays;
		END IF;
		EXECUTE format('CREATE TRIGGER journal_stays_whole BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()', part);
		EXECUTE format('ALTER TABLE journal ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, starts, ends);
		month := month + interval '1 month';
	END LOOP;
END
$$;
-- +goose StatementEnd
