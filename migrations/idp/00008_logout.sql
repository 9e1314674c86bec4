-- +goose Up

-- Who is told by the back channel that a session is over, and how that goes. A
-- notice is written by the act that ends the session, and wiped by age.
CREATE TABLE logout_notice (
	id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	client_id text        COLLATE "C" NOT NULL,
	person_id uuid        NOT NULL REFERENCES person,
	sid       text        NOT NULL,
	state     text        NOT NULL,
	queued_at timestamptz NOT NULL,
	tries     integer     NOT NULL DEFAULT 0,
	tried_at  timestamptz,
	status    integer, -- what the client answered at the last try; NULL: it did not
	CONSTRAINT logout_notice_state_known CHECK (state IN ('queued', 'delivered', 'failed')),
	CONSTRAINT logout_notice_delivered_by_a_try CHECK (state <> 'delivered' OR tried_at IS NOT NULL)
);

CREATE INDEX logout_notice_client_id ON logout_notice (client_id, id);
CREATE INDEX logout_notice_sid ON logout_notice (sid, client_id);
CREATE INDEX logout_notice_person_id ON logout_notice (person_id);
CREATE INDEX logout_notice_queued_at ON logout_notice (queued_at);
