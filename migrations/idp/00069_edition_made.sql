-- +goose Up

-- As of when an edition says that it tells, where it says so; and between when it was made: then, or else within its month, or the one in which
-- it came where that is before.
ALTER TABLE edition
	ALTER COLUMN as_of DROP NOT NULL,
	ADD COLUMN not_before timestamptz,
	ADD COLUMN not_after  timestamptz;

UPDATE edition SET as_of = nullif(as_of, period AT TIME ZONE 'UTC');

UPDATE edition
SET not_before = coalesce(as_of, least(period AT TIME ZONE 'UTC', date_trunc('month', began_at, 'UTC'))),
    not_after = coalesce(as_of, least((period + interval '1 month') AT TIME ZONE 'UTC', began_at));

ALTER TABLE edition
	ALTER COLUMN not_before SET NOT NULL,
	ALTER COLUMN not_after SET NOT NULL,
	ADD CONSTRAINT edition_made_before_it_ends CHECK (not_before <= not_after);
