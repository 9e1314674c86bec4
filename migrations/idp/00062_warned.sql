-- +goose Up

-- What a link warns of, for the page that it leads to: whoever has several warnings at hand is told which of them it is. Links from before tell nothing.
ALTER TABLE not_me
	ADD COLUMN word      text        NOT NULL DEFAULT '',
	ADD COLUMN warned_at timestamptz NOT NULL DEFAULT now(),
	ADD COLUMN agent     text        NOT NULL DEFAULT '',
	ADD COLUMN place     jsonb       NOT NULL DEFAULT '{}';
