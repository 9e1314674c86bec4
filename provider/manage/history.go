package manage

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
)

// history handles GET /clients/{client_id}/history: who changed a client, when and what, a removed one's too.
func (m *Manage) history(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	after, limit, err := place(r)
	if err != nil {
		return err
	}
	id := r.PathValue("client_id")
	if !clients.WellFormed(id) {
		return refusal(clients.ErrUnknown)
	}
	var from time.Time
	if by.Person != uuid.Nil {
		client, err := m.client(r, by)
		if err != nil {
			return refusal(err)
		}
		from = since(client, by)
	}
	entries, cursor, err := m.feed.OfClient(r.Context(), id, after, limit)
	if err != nil {
		return unread(err)
	}
	if len(entries) == 0 && after == 0 { // there was never such a client, or its first event has no place yet
		if _, err := m.clients.Look(r.Context(), id); err != nil {
			return refusal(err)
		}
	}
	type change struct {
		Cursor   audit.Cursor    `json:"cursor"`
		Kind     audit.Kind      `json:"kind"`
		At       time.Time       `json:"at"`
		By       string          `json:"by,omitempty"`     // absent: an operator's command, or a person on our own pages
		Person   string          `json:"person,omitempty"` // who acted for a body
		Proposal string          `json:"proposal,omitempty"`
		Before   json.RawMessage `json:"before,omitempty"`
		After    json.RawMessage `json:"after,omitempty"`
	}
	answer := struct {
		Changes []change     `json:"changes"`
		Cursor  audit.Cursor `json:"cursor"`
	}{[]change{}, cursor}
	for _, e := range entries {
		if e.At.Before(from) {
			continue
		}
		answer.Changes = append(answer.Changes, change{
			e.Cursor, e.Kind, e.At, e.Detail["by"], e.Detail["person"], e.Detail["proposal"], json.RawMessage(e.Detail["before"]), json.RawMessage(e.Detail["after"]),
		})
	}
	return api.Write(w, http.StatusOK, answer)
}
