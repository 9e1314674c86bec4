-- +goose Up

-- A key is of one request: whoever asks for something else by the key that another code was sent by is told so.
CREATE INDEX issuance_code_key ON issuance (code_key) WHERE code_key IS NOT NULL;
