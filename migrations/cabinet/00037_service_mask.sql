-- +goose Up

-- By what it has in common with a mask, a word with one slip in it is known again (cabinet/catalogue/slip.go).
CREATE TABLE service_mask (
	mask text COLLATE "C",
	text text COLLATE "C",
	PRIMARY KEY (mask, text)
);

COMMENT ON TABLE service_mask IS 'the words of what is in force, whole and with one of their letters hidden, and the root of each';
