// Package documents plays the register of identity documents, which another system of the state keeps: a desk's clerk
// shows what was shown to them, and it tells whether the document is valid and whose it is.
package documents

import (
	"net/http"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/provider/api"
)

// A Question is about a document that somebody shows.
type Question struct {
	Kind                 string `json:"kind"`
	Number               string `json:"number"`
	IdentificationNumber string `json:"identification_number"`
}

// Answer handles POST /documents.
func Answer(w http.ResponseWriter, r *http.Request) error {
	q, err := api.Decode[Question](w, r)
	if err != nil {
		return err
	}
	return api.Write(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{q.status()})
}

// status is what the register knows. It is of the demo's people alone: whatever else a tester makes up is not in it.
func (q Question) status() string {
	for _, p := range cast.All() {
		switch {
		case p.Document.Kind != q.Kind || p.Document.Number != q.Number:
		case p.IdentificationNumber != q.IdentificationNumber:
			return "another_person"
		case p.DocumentLost:
			return "invalid"
		default:
			return "valid"
		}
	}
	return "unknown"
}
