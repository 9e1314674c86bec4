-- +goose Up

-- The ring turns: next, active, retired, gone. What signs or is to sign has its
-- private part, sealed here or under a label in a hardware module. What signs no
-- more has none; a label stays until the module has destroyed what it names.
ALTER TABLE signing_key
	DROP CONSTRAINT signing_key_state_known,
	ALTER COLUMN private_key DROP NOT NULL,
	ADD COLUMN label text;

UPDATE signing_key SET private_key = NULL WHERE state = 'retired';

ALTER TABLE signing_key
	ADD CONSTRAINT signing_key_state_known CHECK (state IN ('next', 'active', 'retired', 'gone')),
	ADD CONSTRAINT signing_key_wiped_when_retired CHECK (
		CASE WHEN state IN ('next', 'active') THEN num_nonnulls(private_key, label) = 1 ELSE private_key IS NULL END),
	ADD CONSTRAINT signing_key_label_once UNIQUE (label);

CREATE UNIQUE INDEX signing_key_one_next ON signing_key (alg) WHERE state = 'next';
