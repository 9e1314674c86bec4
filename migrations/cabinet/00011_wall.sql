-- +goose Up

-- Citizens' rows are kept from one another by the statements that ask for them, and here once more: cabinet/wall has each transaction of a door say whose
-- rows it asks for. Where nothing was said, which is so of the program's own work and of its operators, all are seen.

-- COALESCE would keep the planner from an index: it takes it for something that could tell what a policy hides.
CREATE FUNCTION subject() RETURNS text LANGUAGE sql STABLE
RETURN nullif(current_setting('cabinet.subject', true), '');

ALTER TABLE cabinet ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE contact ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE report ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE journal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY of_the_subject ON cabinet
	USING (subject() IS NULL OR identification_number = subject());
CREATE POLICY of_the_subject ON contact
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));
CREATE POLICY of_the_subject ON report
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));
CREATE POLICY of_the_subject ON journal
	USING (subject() IS NULL OR person_id = (SELECT person_id FROM cabinet WHERE identification_number = subject()));
