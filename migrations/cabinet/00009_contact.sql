-- +goose Up

-- What citizens tell of themselves. Nobody has checked it, so it stands apart from official values; addresses and numbers are sealed
-- (provider/seal). Whoever gave nothing has no row.
CREATE TABLE contact (
	person_id uuid        PRIMARY KEY REFERENCES cabinet,
	email     bytea,
	phone     bytea,
	language  text,
	given_at  timestamptz NOT NULL,
	CONSTRAINT contact_language_known CHECK (language IN ('be', 'ru', 'en'))
);
