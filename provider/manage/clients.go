package manage

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/answer"
	"asoba.example/provider/api"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/pair"
)

// register handles POST /clients: RFC 7591 metadata comes, and the client goes
// back as it was registered, with its secret this once.
func (m *Manage) register(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	metadata, body, err := m.decode(w, r, "")
	if err != nil {
		return err
	}
	return m.answers.Once(w, r, token.ClientID, body, func(keep answer.Keep) error {
		by := m.by(token)
		by.Also = m.created(keep)
		_, _, err := m.clients.Register(r.Context(), "", metadata, by)
		return refusal(err)
	})
}

// created keeps the answer that tells of a new client or a new secret, in the transaction that makes it.
func (m *Manage) created(keep answer.Keep) func(context.Context, pgx.Tx, *clients.Client, string) error {
	return func(ctx context.Context, tx pgx.Tx, c *clients.Client, secret string) error {
		members, err := c.Describe(secret, m.now())
		if err != nil {
			return err
		}
		text, err := json.Marshal(members)
		if err != nil {
			return err
		}
		return keep(ctx, tx, answer.Answer{
			Status: http.StatusCreated, Header: map[string]string{"Location": "/clients/" + c.ID, "ETag": tag(c.Version)}, Body: text,
		})
	}
}

// list handles GET /clients, by client_id.
func (m *Manage) list(w http.ResponseWriter, r *http.Request) error {
	if _, err := m.bearer.Require(w, r, manageClients); err != nil {
		return err
	}
	limit := api.Number(r, "limit", 100)
	after := r.URL.Query().Get("after")
	if after != "" && !clients.WellFormed(after) {
		return api.RefuseParameter("after", nil)
	}
	found, err := m.clients.List(r.Context(), after, limit+1) // one more tells whether there is another page
	if err != nil {
		return err
	}
	page := struct {
		Clients []map[string]any `json:"clients"`
		Next    string           `json:"next,omitempty"` // after which to go on
	}{Clients: []map[string]any{}}
	if len(found) > limit {
		found = found[:limit]
		page.Next = found[limit-1].ID
	}
	for _, c := range found {
		members, err := c.Describe("", m.now())
		if err != nil {
			return err
		}
		page.Clients = append(page.Clients, members)
	}
	return api.Write(w, http.StatusOK, page)
}

// show handles GET /clients/{client_id}.
func (m *Manage) show(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	client, err := m.client(r, by)
	if err != nil {
		return refusal(err)
	}
	return m.tell(w, client, "")
}

// replace handles PUT /clients/{client_id}: what is left out is back at its default (RFC 7592 §2.2).
func (m *Manage) replace(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	version, err := seen(r)
	if err != nil {
		return err
	}
	id := r.PathValue("client_id")
	metadata, _, err := m.decode(w, r, id)
	if err != nil {
		return err
	}
	client, secret, err := m.clients.Replace(r.Context(), id, version, metadata, by)
	if err != nil {
		return refusal(err)
	}
	return m.tell(w, client, secret)
}

// remove handles DELETE /clients/{client_id}.
func (m *Manage) remove(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	version, err := seen(r)
	if err != nil {
		return err
	}
	err = m.clients.Remove(r.Context(), r.PathValue("client_id"), version, by)
	if err != nil {
		return refusal(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// decode reads metadata. A client_id in it must be the client's own: the provider chooses it (RFC 9700 §4.15).
func (m *Manage) decode(w http.ResponseWriter, r *http.Request, id string) (metadata clients.Metadata, body json.RawMessage, err error) {
	body, err = m.document.ReadBody(w, r, clients.InvalidClientMetadata)
	if err != nil || body == nil {
		return metadata, nil, err
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return metadata, nil, refusal(err)
	}
	if strange := clients.Strange(body); len(strange) > 0 {
		return metadata, nil, refusal(&clients.MetadataError{
			Code: clients.InvalidClientMetadata, Member: strange[0], Reason: "is no member that a client has",
		})
	}
	var named struct {
		ClientID *string `json:"client_id"`
	}
	if json.Unmarshal(body, &named) != nil || named.ClientID != nil && *named.ClientID != id {
		return metadata, nil, refusal(&clients.MetadataError{
			Code: clients.InvalidClientMetadata, Member: "client_id", Reason: "is chosen by the provider",
		})
	}
	return metadata, body, nil
}

// tell tells a client as it is, and which version of it that is.
func (m *Manage) tell(w http.ResponseWriter, c *clients.Client, secret string) error {
	members, err := c.Describe(secret, m.now())
	if err != nil {
		return err
	}
	w.Header().Set("ETag", tag(c.Version))
	return api.Write(w, http.StatusOK, members)
}

func refusal(err error) error {
	var (
		wrong   *clients.MetadataError
		decided *pair.DecidedError
	)
	switch {
	case errors.As(err, &wrong):
		return &api.Problem{
			Type: "about:blank", Title: http.StatusText(http.StatusBadRequest), Status: http.StatusBadRequest,
			Code: wrong.Code, Detail: strings.TrimSpace(wrong.Member + " " + wrong.Reason),
			Fields: []api.Field{{Name: "/" + wrong.Member, Code: wrong.Code}}, Cause: err,
		}
	case errors.Is(err, clients.ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_client", err)
	case errors.Is(err, clients.ErrToken):
		return api.Refuse(http.StatusNotFound, "unknown_token", err)
	case errors.Is(err, clients.ErrStale):
		return api.Refuse(http.StatusPreconditionFailed, "stale", err)
	case errors.Is(err, clients.ErrNoSecret):
		return api.Refuse(http.StatusConflict, "no_secret", err)
	case errors.Is(err, clients.ErrBeyond):
		return api.Refuse(http.StatusForbidden, "beyond_scopes", err)
	case errors.Is(err, clients.ErrKeyless):
		return api.Refuse(http.StatusForbidden, "key_required", err)
	case errors.Is(err, clients.ErrDrafts):
		return api.Explain(http.StatusConflict, "too_many_drafts", clients.ErrDrafts, err)
	case errors.Is(err, clients.ErrOverlap):
		return api.Refuse(http.StatusBadRequest, "invalid_overlap", err, api.Field{Name: "/overlap", Code: "invalid"})
	case errors.Is(err, clients.ErrManaging):
		return api.Refuse(http.StatusConflict, "managing", err)
	case errors.Is(err, clients.ErrLive):
		return api.Refuse(http.StatusConflict, "live", err)
	case errors.Is(err, clients.ErrOwnerless):
		return api.Refuse(http.StatusConflict, "ownerless", err)
	case errors.Is(err, body.ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_body", err)
	case errors.Is(err, body.ErrNobody):
		return api.Refuse(http.StatusNotFound, "unknown_person", err)
	case errors.Is(err, body.ErrNoProposal):
		return api.Refuse(http.StatusNotFound, "unknown_proposal", err)
	case errors.Is(err, body.ErrOpen):
		return api.Refuse(http.StatusConflict, "open_proposal", err)
	case errors.As(err, &decided):
		return api.Explain(http.StatusConflict, "decided", decided, err)
	case errors.Is(err, pair.ErrOwn):
		return api.Refuse(http.StatusForbidden, "own_proposal", err)
	case errors.Is(err, body.ErrName), errors.Is(err, body.ErrReason):
		return api.Refuse(http.StatusBadRequest, "invalid_body", err)
	}
	return err
}
