-- +goose Up

-- What other systems say of people: the latest word of each source on each value, sealed (provider/seal); none where it knows nothing of it.
-- Which of several sources' words holds, cabinet/profile decides.
CREATE TABLE profile_value (
	person_id uuid        NOT NULL REFERENCES cabinet,
	source    text        COLLATE "C" NOT NULL,
	name      text        COLLATE "C" NOT NULL,
	value     bytea,
	at        timestamptz NOT NULL,
	since     timestamptz NOT NULL,
	PRIMARY KEY (person_id, source, name)
);

COMMENT ON COLUMN profile_value.at IS 'when the source says that it stands so';
COMMENT ON COLUMN profile_value.since IS 'when the cabinet was told it first';

-- What such a value was, and what it became, by the entry of the journal that tells of it: there is no unsealed place for it there.
CREATE TABLE profile_change (
	entry_id  uuid PRIMARY KEY,
	person_id uuid NOT NULL REFERENCES cabinet,
	old       bytea,
	new       bytea
);

CREATE INDEX profile_change_person ON profile_change (person_id);

-- When other systems were asked of people, and are to be asked. A source that is being asked is due again a little later, should the program
-- be killed before it hears.
CREATE TABLE refresh (
	person_id    uuid        NOT NULL REFERENCES cabinet,
	source       text        COLLATE "C" NOT NULL,
	occasion     text        NOT NULL,
	due_at       timestamptz,
	tries        integer     NOT NULL DEFAULT 0,
	asked_at     timestamptz,
	answered_at  timestamptz,
	silent_since timestamptz,
	PRIMARY KEY (person_id, source),
	CONSTRAINT refresh_occasion_known CHECK (occasion IN ('primary_sign_in', 'order', 'application', 'decision', 'complaint'))
);

CREATE INDEX refresh_due ON refresh (source, due_at) WHERE due_at IS NOT NULL;

ALTER TABLE profile_value ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE profile_change ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE refresh ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY of_the_subject ON profile_value
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));
CREATE POLICY of_the_subject ON profile_change
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));
CREATE POLICY of_the_subject ON refresh
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));
