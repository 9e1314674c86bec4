package document

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"asoba.example/login/identity"
	"asoba.example/provider/fetch"
)

// ErrAway says that the register does not answer.
var ErrAway = errors.New("the register of documents does not answer")

// A Report is what is known of a document.
type Report string

// Reports.
const (
	Attested Report = "attested"       // by the clerk alone: no register was there to be asked
	Valid    Report = "valid"          // and this person's
	Invalid  Report = "invalid"        // lost, stolen, replaced, withdrawn
	Anothers Report = "another_person" // not of the person with this identification number
	Unknown  Report = "unknown"        // to the register: no word against it, and none for it
	Silent   Report = "silent"         // the register was asked and did not answer; the clerk's word alone
)

// A Register is asked about documents. None is nil, and knows nothing.
type Register struct {
	URL    string
	Caller *fetch.Caller
}

// Ask asks about a document that the person with the identifier shows.
func (r *Register) Ask(ctx context.Context, id identity.Identifier, d identity.Document) (Report, error) {
	if r == nil {
		return Attested, nil
	}
	question, err := json.Marshal(struct {
		Kind   string `json:"kind"`
		Number string `json:"number"`
		Person string `json:"identification_number"`
	}{d.Kind, d.Number, id.Reveal()})
	if err != nil {
		return "", fmt.Errorf("ask about a document: %w", err)
	}
	body, err := r.Caller.Ask(ctx, r.URL, question)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrAway, err)
	}
	var answer struct {
		Status Report `json:"status"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("%w: what it says is no JSON", ErrAway) // the cause may repeat it
	}
	switch answer.Status {
	case Valid, Invalid, Anothers, Unknown:
		return answer.Status, nil
	case Attested, Silent: // are ours to say
	}
	return "", fmt.Errorf("%w: what it says is none of the four words", ErrAway)
}
