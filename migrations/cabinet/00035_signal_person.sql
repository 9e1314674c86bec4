-- +goose Up

-- Whom a signal is about, by what stays when their number becomes another one; the number is what the e-service is told.
ALTER TABLE signal ADD COLUMN person_id uuid;

COMMENT ON COLUMN signal.person_id IS 'none of what was told before this was kept, of somebody who is not known any more';

-- Of what was told before: who was the first to lose that number since, or else who has it.
CREATE TEMP TABLE lost ON COMMIT DROP AS
SELECT (detail->>'old') COLLATE "C" AS number, at, person_id FROM journal
WHERE kind = 'profile.changed' AND detail->>'field' = 'identification_number' AND at >= (SELECT min(at) FROM signal);

CREATE INDEX ON lost (number, at);
ANALYZE lost;

UPDATE signal
SET person_id = coalesce(
	(SELECT lost.person_id FROM lost WHERE number = subject AND lost.at >= signal.at ORDER BY lost.at LIMIT 1),
	(SELECT cabinet.person_id FROM cabinet WHERE identification_number = subject));

CREATE INDEX signal_person ON signal (person_id, at, client_id);

DROP POLICY of_the_client ON signal;
CREATE POLICY of_the_client ON signal
	USING (client_id() IS NULL OR client_id = client_id()
		OR client_id() = 'nobody' AND person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));

DROP INDEX signal_subject;
