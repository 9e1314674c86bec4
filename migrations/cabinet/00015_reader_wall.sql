-- +goose Up

-- Citizens see who may read their profiles while they are away, and what was told of them: the latter where no client asks.
ALTER TABLE reader ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY of_the_subject ON reader
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));

DROP POLICY of_the_client ON signal;
CREATE POLICY of_the_client ON signal
	USING (client_id() IS NULL OR client_id = client_id() OR client_id() = 'nobody' AND subject = subject());

CREATE INDEX signal_subject ON signal (subject);
