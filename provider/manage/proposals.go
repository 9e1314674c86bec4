package manage

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/pair"
)

// A proposal as the document has it.
type proposal struct {
	ID         uuid.UUID        `json:"id"`
	ClientID   string           `json:"client_id"`
	Version    clients.Version  `json:"version"`
	Base       clients.Metadata `json:"base"`
	Metadata   clients.Metadata `json:"metadata"`
	State      pair.State       `json:"state"`
	ProposedBy uuid.UUID        `json:"proposed_by"`
	ProposedAt time.Time        `json:"proposed_at"`
	DecidedBy  *uuid.UUID       `json:"decided_by,omitempty"` // absent: nobody yet, or an operator's command
	DecidedAt  *time.Time       `json:"decided_at,omitempty"`
	Reason     *string          `json:"reason,omitempty"`
}

// propose handles POST /clients/{client_id}/proposals. Without a body the client is to be live as it is. Who proposes says what they have
// seen: somebody else may have changed it a moment ago, and is to be no second person for that.
func (m *Manage) propose(w http.ResponseWriter, r *http.Request) error {
	by, err := m.person(w, r, atOnce)
	if err != nil {
		return err
	}
	version, err := seen(r)
	if err != nil {
		return err
	}
	if version == clients.Any {
		return api.Refuse(http.StatusPreconditionRequired, "version_required", nil) // RFC 6585 §3
	}
	id := r.PathValue("client_id")
	metadata, text, err := m.decode(w, r, id)
	if err != nil {
		return err
	}
	whole := &metadata
	if text == nil {
		whole = nil
	}
	made, err := m.bodies.Propose(r.Context(), id, version, whole, by)
	if err != nil {
		return refusal(err)
	}
	return api.Write(w, http.StatusCreated, proposal(made))
}

// listProposals handles GET /clients/{client_id}/proposals.
func (m *Manage) listProposals(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	client, err := m.client(r, by)
	if err != nil {
		return refusal(err)
	}
	found, err := m.bodies.Proposals(r.Context(), client.ID, since(client, by))
	if err != nil {
		return err
	}
	return tellProposals(w, found)
}

// waiting handles GET /proposals: the open ones of all clients that a caller may see, for the operator's staff to know where they are awaited.
func (m *Manage) waiting(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	found, err := m.bodies.Waiting(r.Context(), by)
	if err != nil {
		return err
	}
	return tellProposals(w, found)
}

func tellProposals(w http.ResponseWriter, found []body.Proposal) error {
	all := make([]proposal, len(found))
	for i, p := range found {
		all[i] = proposal(p)
	}
	return api.Write(w, http.StatusOK, struct {
		Proposals []proposal `json:"proposals"`
	}{all})
}

// approve handles POST /clients/{client_id}/proposals/{id}/approve.
func (m *Manage) approve(w http.ResponseWriter, r *http.Request) error {
	by, id, err := m.deciding(w, r)
	if err != nil {
		return err
	}
	client, secret, err := m.bodies.Approve(r.Context(), r.PathValue("client_id"), id, by)
	if err != nil {
		return refusal(err)
	}
	return m.tell(w, client, secret)
}

// refuse handles POST /clients/{client_id}/proposals/{id}/refuse.
func (m *Manage) refuse(w http.ResponseWriter, r *http.Request) error {
	by, id, err := m.deciding(w, r)
	if err != nil {
		return err
	}
	text, err := m.document.ReadBody(w, r, "invalid_body")
	if err != nil {
		return err
	}
	var told struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return err
	}
	refused, err := m.bodies.Refuse(r.Context(), r.PathValue("client_id"), id, told.Reason, by)
	if err != nil {
		return refusal(err)
	}
	return api.Write(w, http.StatusOK, proposal(refused))
}

// withdraw handles POST /clients/{client_id}/proposals/{id}/withdraw.
func (m *Manage) withdraw(w http.ResponseWriter, r *http.Request) error {
	by, id, err := m.deciding(w, r)
	if err != nil {
		return err
	}
	withdrawn, err := m.bodies.Withdraw(r.Context(), r.PathValue("client_id"), id, by)
	if err != nil {
		return refusal(err)
	}
	return api.Write(w, http.StatusOK, proposal(withdrawn))
}

// deciding reads who decides which proposal.
func (m *Manage) deciding(w http.ResponseWriter, r *http.Request) (clients.By, uuid.UUID, error) {
	by, err := m.person(w, r, atOnce)
	if err != nil {
		return by, uuid.Nil, err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return by, uuid.Nil, refusal(body.ErrNoProposal)
	}
	return by, id, nil
}
