-- +goose Up

-- Where the register of documents was asked and did not answer, an act that does not wait for it says so.
ALTER TABLE desk_act
	DROP CONSTRAINT desk_act_document_report_known,
	ADD CONSTRAINT desk_act_document_report_known CHECK (document_report IN ('attested', 'valid', 'unknown', 'silent'));
