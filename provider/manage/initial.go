package manage

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/answer"
	"asoba.example/provider/api"
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
	return m.answers.Once(w, r, token.ClientID, body, func(keep answer.Keep) error {
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
			return keep(ctx, tx, answer.Answer{Status: http.StatusCreated, Body: text})
		}
		_, err := m.clients.IssueInitial(r.Context(), initial, m.by(token), told)
		return refusal(err)
	})
}

// listInitial handles GET /initial-access-tokens: those that are good, without the tokens themselves, of which only digests are kept.
func (m *Manage) listInitial(w http.ResponseWriter, r *http.Request) error {
	if _, err := m.bearer.Require(w, r, manageClients); err != nil {
		return err
	}
	var after uuid.UUID
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = uuid.Parse(text); err != nil {
			return api.RefuseParameter("after", err)
		}
	}
	limit := api.Number(r, "limit", 100)
	found, err := m.clients.ListInitial(r.Context(), after, limit+1, m.now()) // one more tells whether there is another page
	if err != nil {
		return err
	}
	type initial struct {
		ID    uuid.UUID `json:"id"`
		Scope string    `json:"scope"`
		Uses  int       `json:"uses"`
		Till  int64     `json:"expires_at"`
	}
	page := struct {
		Tokens []initial  `json:"initial_access_tokens"`
		Next   *uuid.UUID `json:"next,omitempty"` // after which to go on
	}{Tokens: []initial{}}
	if len(found) > limit {
		found = found[:limit]
		page.Next = &found[limit-1].ID
	}
	for _, i := range found {
		page.Tokens = append(page.Tokens, initial{i.ID, i.Scope, i.Uses, i.Till.Unix()})
	}
	return api.Write(w, http.StatusOK, page)
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
