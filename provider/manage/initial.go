package manage

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/clients"
)

// issueInitial handles POST /initial-access-tokens: by such a token somebody else registers clients (RFC 7591 §3).
func (m *Manage) issueInitial(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	body, err := m.document.ReadBody(w, r, "invalid_body")
	if err != nil {
		return err
	}
	asked := struct {
		Scope     string `json:"scope"`
		Uses      int    `json:"uses"`
		ExpiresIn int64  `json:"expires_in"`
	}{"openid", 1, 24 * 60 * 60}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &asked); err != nil {
			return err
		}
	}
	return m.answers.once(w, r, token.ClientID, body, func(keep keep) error {
		now := m.now()
		initial := clients.Initial{Scope: asked.Scope, Uses: asked.Uses, Till: now.Add(time.Duration(asked.ExpiresIn) * time.Second)}
		told := func(ctx context.Context, tx pgx.Tx, id uuid.UUID, token string) error {
			text, err := json.Marshal(struct {
				ID    uuid.UUID `json:"id"`
				Token string    `json:"initial_access_token"`
				Scope string    `json:"scope"`
				Uses  int       `json:"uses"`
				Till  int64     `json:"expires_at"`
			}{id, token, initial.Scope, initial.Uses, initial.Till.Unix()})
			if err != nil {
				return err
			}
			return keep(ctx, tx, answer{Status: http.StatusCreated, Body: text})
		}
		_, err := m.clients.IssueInitial(r.Context(), initial, m.by(token), told)
		return refusal(err)
	})
}

// revokeInitial handles DELETE /initial-access-tokens/{id}.
func (m *Manage) revokeInitial(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return refusal(clients.ErrToken)
	}
	if err := m.clients.RevokeInitial(r.Context(), id, m.by(token)); err != nil {
		return refusal(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
