-- +goose Up

-- The signed paper that an act of the desk rests on, scanned: of a visit or of another act, and of each one at most.
CREATE TABLE paper (
	act_id      uuid        GENERATED ALWAYS AS (coalesce(issuance_id, desk_act_id)) STORED PRIMARY KEY,
	issuance_id uuid        REFERENCES issuance,
	desk_act_id uuid        REFERENCES desk_act,
	kind        text        NOT NULL,
	content     bytea       NOT NULL,
	clerk_id    uuid        NOT NULL REFERENCES clerk,
	kept_at     timestamptz NOT NULL,
	CONSTRAINT paper_of_one_act CHECK (num_nonnulls(issuance_id, desk_act_id) = 1),
	CONSTRAINT paper_kind_known CHECK (kind IN ('application/pdf', 'image/jpeg', 'image/png'))
);

-- What is sealed does not get smaller.
ALTER TABLE paper ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE INDEX paper_issuance_id ON paper (issuance_id);
CREATE INDEX paper_desk_act_id ON paper (desk_act_id);
CREATE INDEX paper_clerk_id ON paper (clerk_id);
