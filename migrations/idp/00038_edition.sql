-- +goose Up

-- An edition from the moment its file is taken in: it is staged, waits for a second person where it would deactivate many, and is applied
-- or refused.
ALTER TABLE edition
	ADD COLUMN kind         text        NOT NULL DEFAULT 'delta',
	ADD COLUMN state        text        NOT NULL DEFAULT 'applied',
	ADD COLUMN signed       boolean     NOT NULL DEFAULT false,
	ADD COLUMN announced    bigint      NOT NULL DEFAULT 0,
	ADD COLUMN same         bigint      NOT NULL DEFAULT 0,
	ADD COLUMN doubtful     bigint      NOT NULL DEFAULT 0,
	ADD COLUMN deactivated  bigint      NOT NULL DEFAULT 0,
	ADD COLUMN restored     bigint      NOT NULL DEFAULT 0,
	ADD COLUMN missing      bigint      NOT NULL DEFAULT 0,
	ADD COLUMN staged_bytes bigint      NOT NULL DEFAULT 0, -- of the file: so far its good rows are in staged_person
	ADD COLUMN imported_by  uuid        REFERENCES person,
	ADD COLUMN client_id    text,
	ADD COLUMN began_at     timestamptz,
	ADD COLUMN decided_by   uuid        REFERENCES person,
	ADD COLUMN decided_at   timestamptz,
	ALTER COLUMN applied_at DROP NOT NULL;

UPDATE edition SET announced = added + changed + rejected, began_at = applied_at;

ALTER TABLE edition
	ALTER COLUMN kind DROP DEFAULT,
	ALTER COLUMN state DROP DEFAULT,
	ALTER COLUMN signed DROP DEFAULT,
	ALTER COLUMN announced DROP DEFAULT,
	ALTER COLUMN added SET DEFAULT 0,
	ALTER COLUMN changed SET DEFAULT 0,
	ALTER COLUMN rejected SET DEFAULT 0,
	ALTER COLUMN began_at SET NOT NULL,
	ADD CONSTRAINT edition_kind_known CHECK (kind IN ('full', 'delta')),
	ADD CONSTRAINT edition_state_known CHECK (state IN ('staging', 'waiting', 'applied', 'refused')),
	ADD CONSTRAINT edition_applied_at_its_time CHECK ((state = 'applied') = (applied_at IS NOT NULL)),
	-- By nobody: a file of too many bad rows is refused by itself.
	ADD CONSTRAINT edition_decided_once CHECK ((decided_by IS NULL OR decided_at IS NOT NULL) AND (state <> 'refused' OR decided_at IS NOT NULL)),
	ADD CONSTRAINT edition_decided_by_another CHECK (decided_by <> imported_by),
	DROP CONSTRAINT edition_checksum_once;

-- What was refused may come again; two at a time would mix their rows.
CREATE UNIQUE INDEX edition_checksum_once ON edition (checksum) WHERE state <> 'refused';
CREATE UNIQUE INDEX edition_open_once ON edition ((true)) WHERE state IN ('staging', 'waiting');
CREATE INDEX edition_imported_by ON edition (imported_by);
CREATE INDEX edition_decided_by ON edition (decided_by);

-- The good rows of the one edition that is staged or waits. They can be had again from its file: not logged, a crash of the database
-- empties them.
CREATE UNLOGGED TABLE staged_person (
	identification_number text COLLATE "C" NOT NULL,
	sex                   text             NOT NULL,
	birth_date            text COLLATE "C" NOT NULL,
	citizenship           text COLLATE "C" NOT NULL,
	death_date            date,
	death_act             text,
	declared_dead_date    date,
	declared_dead_act     text,
	missing_date          date,
	missing_act           text,
	incapable_date        date,
	incapable_act         text,
	limited_date          date,
	limited_act           text
);

-- The first rows of an edition's file that something is wrong with.
CREATE TABLE bad_row (
	edition_id  bigint  NOT NULL REFERENCES edition,
	line        bigint  NOT NULL,
	column_name text    NOT NULL, -- '' for the row as a whole
	reason      text    NOT NULL,
	taken       boolean NOT NULL,
	PRIMARY KEY (edition_id, line, reason)
);

-- Whom a full edition does not tell of, though we know them.
CREATE TABLE missing_person (
	edition_id bigint NOT NULL REFERENCES edition,
	person_id  uuid   NOT NULL REFERENCES person,
	PRIMARY KEY (edition_id, person_id)
);

CREATE INDEX missing_person_person_id ON missing_person (person_id);

-- What a person's citizenship was until we were told of another one.
CREATE TABLE former_citizenship (
	person_id   uuid             NOT NULL REFERENCES person,
	at          timestamptz      NOT NULL,
	edition_id  bigint           REFERENCES edition, -- NULL: told outside of an edition
	citizenship text COLLATE "C" NOT NULL,
	PRIMARY KEY (person_id, at)
);

CREATE INDEX former_citizenship_edition_id ON former_citizenship (edition_id);
