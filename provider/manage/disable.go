package manage

import (
	"context"
	"net/http"

	"asoba.example/provider/clients"
)

// disable handles POST /clients/{client_id}/disable. To disable one that is disabled changes nothing.
func (m *Manage) disable(w http.ResponseWriter, r *http.Request) error {
	return m.move(w, r, m.clients.Disable)
}

// enable handles POST /clients/{client_id}/enable.
func (m *Manage) enable(w http.ResponseWriter, r *http.Request) error {
	return m.move(w, r, m.clients.Enable)
}

// revokeRegistration handles DELETE /clients/{client_id}/registration-token: the client manages itself no more (RFC 7592 §3). One that does
// not is left as it is.
func (m *Manage) revokeRegistration(w http.ResponseWriter, r *http.Request) error {
	return m.move(w, r, m.clients.RevokeRegistration)
}

func (m *Manage) move(w http.ResponseWriter, r *http.Request, to func(context.Context, string, clients.Version, clients.By) (*clients.Client, error)) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	version, err := seen(r)
	if err != nil {
		return err
	}
	client, err := to(r.Context(), r.PathValue("client_id"), version, m.by(token))
	if err != nil {
		return refusal(err)
	}
	return m.tell(w, client, "")
}
