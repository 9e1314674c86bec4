-- +goose Up

-- Room on each page for what changes there in a month: then a cabinet that changes stays on its page, and no index is touched. Pages that are full
-- already get it as they are written anew.
ALTER TABLE cabinet SET (fillfactor = 95);
