-- +goose Up

-- Which code has confirmed the phone of a visit: the id of the event that it was sent. With the time, and the number by its blind
-- index, that is how it is shown later that the person has confirmed its use (resolution 792 ¶4).
ALTER TABLE issuance ADD COLUMN code_id uuid;
