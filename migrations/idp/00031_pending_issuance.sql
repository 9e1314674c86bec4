-- +goose Up

-- What is known of the document that was shown: the clerk's word alone, or what the register of documents said.
ALTER TABLE desk_act ADD COLUMN document_report text NOT NULL DEFAULT 'attested'
	CONSTRAINT desk_act_document_report_known CHECK (document_report IN ('attested', 'valid', 'unknown'));

-- An issuance that a source has not answered for is kept until it does, and is opened then. Until then its person may
-- not be known, nor what the register of documents says.
ALTER TABLE issuance
	ADD COLUMN document_report text DEFAULT 'attested'
		CONSTRAINT issuance_document_report_known CHECK (document_report IN ('attested', 'valid', 'unknown')),
	ADD COLUMN pending_at timestamptz,
	ALTER COLUMN person_id DROP NOT NULL,
	ALTER COLUMN opened_at DROP NOT NULL,
	ADD CONSTRAINT issuance_opened_or_pending CHECK (opened_at IS NOT NULL OR pending_at IS NOT NULL),
	ADD CONSTRAINT issuance_opened_for_somebody CHECK (opened_at IS NULL OR person_id IS NOT NULL AND document_report IS NOT NULL),
	ADD CONSTRAINT issuance_confirmed_once_opened CHECK (phone_confirmed_at IS NULL OR opened_at IS NOT NULL);

CREATE INDEX issuance_pending ON issuance (office, id) WHERE opened_at IS NULL;
