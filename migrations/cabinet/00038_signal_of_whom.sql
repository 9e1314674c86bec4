-- +goose Up

-- Nodes of before 00035 go on while others take their places, and write no person: by the number, which is the person's then.
-- +goose StatementBegin
CREATE FUNCTION signal_of_whom() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.person_id := (SELECT person_id FROM cabinet WHERE identification_number = NEW.subject);
	RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER signal_of_whom BEFORE INSERT ON signal FOR EACH ROW WHEN (NEW.person_id IS NULL) EXECUTE FUNCTION signal_of_whom();
