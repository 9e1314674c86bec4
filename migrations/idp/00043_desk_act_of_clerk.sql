-- +goose Up

-- What a clerk has done lately.
CREATE INDEX desk_act_clerk_id_at ON desk_act (clerk_id, at);
DROP INDEX desk_act_clerk_id;
