-- +goose Up

-- Messages to phones. Number and text are sealed, and wiped once the message has
-- left or its worth has ended.
CREATE TABLE sms_message (
	id         uuid        PRIMARY KEY,
	person_id  uuid        REFERENCES person,
	kind       text        NOT NULL,
	phone      bytea,
	text       bytea,
	state      text        NOT NULL,
	queued_at  timestamptz NOT NULL,
	till       timestamptz NOT NULL,
	settled_at timestamptz,
	CONSTRAINT sms_message_kind_known CHECK (kind IN ('code', 'temporary_password', 'notice')),
	CONSTRAINT sms_message_state_known CHECK (state IN ('queued', 'delivered', 'failed')),
	CONSTRAINT sms_message_wiped_when_settled CHECK (state = 'queued' OR (text IS NULL AND phone IS NULL))
);

CREATE INDEX sms_message_queued ON sms_message (queued_at) WHERE state = 'queued';
CREATE INDEX sms_message_person_id ON sms_message (person_id);
