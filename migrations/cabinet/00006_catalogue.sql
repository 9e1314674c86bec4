-- +goose Up

-- Editions of the catalogue that were brought in: by whom, when, and what each did. The record of the act; it only grows.
CREATE TABLE catalogue_edition (
	number      integer     PRIMARY KEY,
	date        date        NOT NULL,
	checksum    bytea       NOT NULL,
	notice      jsonb,
	imported_by text        NOT NULL,
	imported_at timestamptz NOT NULL,
	changes     jsonb       NOT NULL,
	same        integer     NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION catalogue_edition_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the editions of the catalogue are append-only';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER catalogue_edition_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalogue_edition
	FOR EACH STATEMENT EXECUTE FUNCTION catalogue_edition_is_append_only();

CREATE TABLE body (
	code text  COLLATE "C" PRIMARY KEY,
	name jsonb NOT NULL
);

-- Situations of life, in the order in which the newest edition tells them; it tells all that there are.
CREATE TABLE situation (
	code  text    COLLATE "C" PRIMARY KEY,
	place integer NOT NULL,
	name  jsonb   NOT NULL
);

-- E-services and administrative procedures. None is ever removed: applications point at them.
CREATE TABLE service (
	code       text      COLLATE "C" PRIMARY KEY,
	numbers    integer[] NOT NULL,
	kind       text      COLLATE "C" NOT NULL,
	body       text      COLLATE "C" NOT NULL REFERENCES body,
	applicants text[]    NOT NULL,
	access     text      NOT NULL,
	term_days  integer   NOT NULL,
	fee        text      NOT NULL,
	languages  text[]    NOT NULL,
	situations text[]    COLLATE "C" NOT NULL,
	name       jsonb     NOT NULL,
	about      jsonb     NOT NULL,
	synonyms   text      NOT NULL,
	documents  jsonb     NOT NULL,
	form       jsonb     NOT NULL,
	valid_from date      NOT NULL,
	valid_till date,
	edition    integer   NOT NULL REFERENCES catalogue_edition,
	words      tsvector  NOT NULL,
	CONSTRAINT service_numbers_once UNIQUE (numbers),
	CONSTRAINT service_kind_known CHECK (kind IN ('e_service', 'procedure')),
	CONSTRAINT service_access_known CHECK (access IN ('none', 'identifier', 'identifier_code', 'strict')),
	CONSTRAINT service_ends_after_it_begins CHECK (valid_till >= valid_from - 1)
);

COMMENT ON COLUMN service.numbers IS 'of the code: 200.10 comes after 200.9';
COMMENT ON COLUMN service.edition IS 'the one that changed it last';
COMMENT ON COLUMN service.words IS 'folded by cabinet/catalogue: the name weighs A, what people call it B, the rest C';

CREATE INDEX service_body ON service (body, numbers);
CREATE INDEX service_kind ON service (kind, numbers);
CREATE INDEX service_edition ON service (edition);
CREATE INDEX service_situations ON service USING gin (situations);
CREATE INDEX service_words ON service USING gin (words);

-- The words of what is in force, and what each is made of, three letters at a time: by that a word with a slip in it is
-- known again. pg_trgm would do it too, where the role may create extensions and the database's locale has heard of
-- Cyrillic; in one of locale C it finds nothing and does not say so.
CREATE TABLE service_word (
	text     text   COLLATE "C" PRIMARY KEY,
	trigrams text[] COLLATE "C" NOT NULL
);

CREATE INDEX service_word_trigrams ON service_word USING gin (trigrams);
