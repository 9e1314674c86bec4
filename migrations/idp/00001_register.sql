-- +goose Up

-- One edition of the population register that was applied (order 82, p. 5).
CREATE TABLE edition (
	id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	number     integer     NOT NULL,
	period     date        NOT NULL,
	checksum   bytea       NOT NULL,
	added      bigint      NOT NULL,
	changed    bigint      NOT NULL,
	rejected   bigint      NOT NULL,
	applied_at timestamptz NOT NULL,
	CONSTRAINT edition_checksum_once UNIQUE (checksum)
);

-- Everyone in the register. The id is the key everywhere; the identification
-- number is one unique column, so that a succession of numbers is a rename.
-- Dates of birth are ISO 8601 of reduced precision: 1956, 1956-03 or 1956-03-08.
CREATE TABLE person (
	id                    uuid        PRIMARY KEY,
	identification_number text        COLLATE "C" NOT NULL,
	sex                   text        NOT NULL,
	birth_date            text        COLLATE "C" NOT NULL,
	citizenship           text        COLLATE "C" NOT NULL,
	death_date            date,
	death_act             text,
	declared_dead_date    date,
	declared_dead_act     text,
	missing_date          date,
	missing_act           text,
	incapable_date        date,
	incapable_act         text,
	limited_date          date,
	limited_act           text,
	changed_in            bigint      NOT NULL,
	CONSTRAINT person_identification_number_once UNIQUE (identification_number),
	CONSTRAINT person_sex_known CHECK (sex IN ('F', 'M')),
	CONSTRAINT person_birth_date_iso CHECK (birth_date ~ '^\d{4}(-\d\d(-\d\d)?)?$')
);

-- The feed's consumers read whom an edition touched by this key.
CREATE INDEX person_changed_in ON person (changed_in, id);
