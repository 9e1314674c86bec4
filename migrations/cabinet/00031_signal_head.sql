-- +goose Up

-- A place is among a client's own signals, or how far one has come would tell of how much all the others were told. Those to whom anything was
-- told, or may be, go on from where all were: a cursor that they hold is below what comes.
ALTER TABLE subscriber ADD COLUMN head bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN subscriber.head IS 'the last place that was given to a signal of this client';

INSERT INTO subscriber (client_id, head)
SELECT client_id, place FROM (SELECT client_id FROM subscriber UNION SELECT client_id FROM reader UNION SELECT client_id FROM signal) AS known
CROSS JOIN signal_head
ON CONFLICT (client_id) DO UPDATE SET head = excluded.head;

-- What is left of the head is how many signals have a place, by which nodes notice that more have; whoever gives places holds it.
ALTER TABLE signal_head RENAME TO signal_count;
ALTER TABLE signal_count RENAME COLUMN place TO placed;
ALTER TABLE signal_count RENAME CONSTRAINT signal_head_one_row TO signal_count_one_row;
