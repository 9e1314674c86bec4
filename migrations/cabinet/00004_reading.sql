-- +goose Up

-- How many pages of people have been applied: of two nodes that have read at the same time one was before the other, and what the other has
-- read may be older by now. One row, apart from follow, so that no block waits for a page.
CREATE TABLE reading (
	id    boolean PRIMARY KEY DEFAULT true,
	pages bigint  NOT NULL,
	CONSTRAINT reading_one_row CHECK (id)
);

INSERT INTO reading (pages) VALUES (0);
