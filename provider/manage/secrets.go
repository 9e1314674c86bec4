package manage

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/answer"
	"asoba.example/provider/clients"
)

// overlap is how long the secret before stays good after a rotation where nobody says how long: a service with many
// parts takes over the new one between two working days, or over a holiday.
const overlap = 7 * 24 * time.Hour

// rotate handles POST /clients/{client_id}/secrets: a new secret, told this once.
func (m *Manage) rotate(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, atOnce)
	if err != nil {
		return err
	}
	version, err := seen(r)
	if err != nil {
		return err
	}
	body, err := m.document.ReadBody(w, r, "invalid_body")
	if err != nil {
		return err
	}
	asked := struct{ Overlap int64 }{int64(overlap / time.Second)}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &asked); err != nil {
			return err
		}
	}
	if by.Person != uuid.Nil { // who was told a secret once may have been removed since
		client, err := m.client(r, by)
		if err != nil {
			return refusal(err)
		}
		if err := m.bodies.Represents(r.Context(), *client.Owner, by.Person); err != nil {
			return refusal(clients.ErrUnknown)
		}
	}
	return m.answers.Once(w, r, name(by), body, func(keep answer.Keep) error {
		by.Also = m.created(keep)
		_, _, err := m.clients.Rotate(r.Context(), r.PathValue("client_id"), version, time.Duration(asked.Overlap)*time.Second, by)
		return refusal(err)
	})
}
