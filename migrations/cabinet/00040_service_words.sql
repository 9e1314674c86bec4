-- +goose Up

-- The words of services are read into memory (cabinet/catalogue/index.go). Programs from before that look for them here, and in service_word and
-- service_mask, while they run beside newer ones.
ALTER TABLE service ALTER COLUMN words SET DEFAULT '';

COMMENT ON COLUMN service.words IS 'of programs before 00040; nothing else writes it';
