package desk

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/provider/seal"
)

// What was presented at the desk, in the form in which it is kept.
type presented struct {
	Document shown          `json:"document"`
	Names    identity.Names `json:"names,omitzero"`
	Phone    string         `json:"phone,omitzero"`
	// Identifier is of a pending issuance, whose person may not be known.
	Identifier string `json:"identifier,omitzero"`
}

// What is shown is an identity.Document in the form in which the doors take it and the desk keeps it.
type shown struct {
	Kind      string `json:"kind"`
	Number    string `json:"number"`
	ValidTill string `json:"valid_till"`
}

// Sealed are the columns of this room that hold what is sealed.
var Sealed = []seal.Column{
	{Table: "issuance", Name: "presented", Row: "id"},
	{Table: "desk_act", Name: "presented", Row: "id"},
	{Table: "paper", Name: "content", Row: "act_id", AtOnce: 4},
	{Table: "superseded_paper", Name: "content", Row: "id", AtOnce: 4},
}

// presented is all that somebody brings.
func (o Opening) presented() presented {
	return presented{Document: shown(o.Document), Names: o.Names, Phone: o.Phone.Reveal(), Identifier: o.Identifier.Reveal()}
}

// place is where what was presented lies, and opens.
func place(table string, id uuid.UUID) string { return table + ":presented:" + id.String() }

func (d *Desk) seal(place string, p presented) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return d.box.Seal(place, plain)
}

func (d *Desk) open(place string, sealed []byte) (p presented, err error) {
	plain, err := d.box.Open(place, sealed)
	if err == nil {
		err = json.Unmarshal(plain, &p)
	}
	if err != nil {
		return presented{}, fmt.Errorf("open what was presented: %w", err)
	}
	return p, nil
}
