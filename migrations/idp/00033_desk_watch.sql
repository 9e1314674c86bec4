-- +goose Up

-- What the staff of an office has done, for its supervisor; only events of desks have one.
CREATE INDEX event_office ON event (office, at) WHERE office IS NOT NULL;

-- What was unusual at desks. It is rare, and read by place.
CREATE INDEX event_alert ON event (place) WHERE kind = 'desk.alerted' AND place IS NOT NULL;

-- How much a clerk has issued lately.
CREATE INDEX issuance_assigned ON issuance (clerk_id, assigned_at) WHERE assigned_at IS NOT NULL;
