-- +goose Up

-- Scans that another one has put right. The newest of an act stays in paper, one row an act, where every edition of the program looks for it.
CREATE TABLE superseded_paper (
	id            uuid        PRIMARY KEY,
	act_id        uuid        NOT NULL REFERENCES paper,
	number        integer     NOT NULL,
	kind          text        NOT NULL,
	content       bytea       NOT NULL,
	clerk_id      uuid        NOT NULL REFERENCES clerk,
	kept_at       timestamptz NOT NULL,
	superseded_at timestamptz NOT NULL,
	CONSTRAINT superseded_paper_numbered UNIQUE (act_id, number),
	CONSTRAINT superseded_paper_kind_known CHECK (kind IN ('application/pdf', 'image/jpeg', 'image/png'))
);

ALTER TABLE superseded_paper ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE INDEX superseded_paper_clerk_id ON superseded_paper (clerk_id);
