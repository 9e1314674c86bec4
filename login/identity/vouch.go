package identity

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// vouch puts the document that its register has vouched for in the place of the one on record: a renewed passport is
// known from then on, and one that was made up at the issuance no more.
func (r *Registry) vouch(ctx context.Context, tx pgx.Tx, person uuid.UUID, act Act) error {
	if act.Document == (Document{}) {
		return nil
	}
	sealed, index, err := r.sealDocument(person, act.Document)
	if err != nil {
		return err
	}
	const update = `UPDATE identity SET document = $2, document_index = $3 WHERE person_id = $1`
	if _, err := tx.Exec(ctx, update, person, sealed, index); err != nil {
		return fmt.Errorf("renew the document of %s: %w", person, err)
	}
	return nil
}

// A document is Document in the form in which it is kept.
type document struct {
	Kind      string `json:"kind"`
	Number    string `json:"number"`
	ValidTill string `json:"valid_till"`
}

// sealDocument gives a document as it is kept, and the index by which it is known again.
func (r *Registry) sealDocument(person uuid.UUID, d Document) (sealed, index []byte, err error) {
	plain, _ := json.Marshal(document(d)) // three strings always marshal
	if sealed, err = r.box.Seal(documentPlace(person), plain); err == nil {
		index, err = DocumentIndex(r.box, d.Number)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("seal the document of %s: %w", person, err)
	}
	return sealed, index, nil
}
