-- +goose Up

-- A message may be with one of two gateways. Which one is written down before it is asked: it may have taken the message
-- even if nobody heard its answer, and then the other is not asked. Of one that was sent a receipt will tell more.
ALTER TABLE sms_message
	ADD COLUMN gateway  text,
	ADD COLUMN asked_at timestamptz,
	DROP CONSTRAINT sms_message_state_known,
	ADD CONSTRAINT sms_message_state_known CHECK (state IN ('queued', 'sent', 'delivered', 'failed')),
	ADD CONSTRAINT sms_message_gateway_known CHECK (gateway IN ('first', 'second')),
	ADD CONSTRAINT sms_message_asked_of_somebody CHECK ((gateway IS NULL) = (asked_at IS NULL));
