package manage

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
)

const (
	manageClients = "clients:manage" // all clients, for operators' systems
	ownClients    = "clients:own"    // those of the bodies that a person represents
)

// How lately they must have: within a day's work; or at once, before what another person or a running service relies on.
const (
	today  = 12 * time.Hour
	atOnce = 20 * time.Minute
)

// by is an operator's system: it changes clients, and gives them no more than it has.
func (m *Manage) by(token api.Token) clients.By {
	return clients.By{ClientID: token.ClientID, Scopes: token.Scopes, At: m.now()}
}

// caller is an operator's system, or a person who acts for a body.
func (m *Manage) caller(w http.ResponseWriter, r *http.Request, within time.Duration) (clients.By, error) {
	token, err := m.bearer.Either(w, r, manageClients, ownClients)
	switch {
	case err != nil:
		return clients.By{}, err
	case token.ByClient():
		return m.by(token), nil
	}
	return m.representative(w, r, token, within)
}

// person is a person who acts for a body, or judges for the operator.
func (m *Manage) person(w http.ResponseWriter, r *http.Request, within time.Duration) (clients.By, error) {
	token, err := m.bearer.Require(w, r, ownClients)
	if err != nil {
		return clients.By{}, err
	}
	return m.representative(w, r, token, within)
}

// representative finds whose token it is by its grant: that names the person as we do.
func (m *Manage) representative(w http.ResponseWriter, r *http.Request, token api.Token, within time.Duration) (clients.By, error) {
	if token.ByClient() {
		return clients.By{}, api.Refuse(http.StatusForbidden, "person_required", errors.New("a client's own token"))
	}
	if err := token.RequireSignIn(w, api.Substantial, within, m.now()); err != nil {
		return clients.By{}, err
	}
	gid, err := uuid.Parse(token.GID)
	if err != nil {
		return clients.By{}, err
	}
	g, err := grant.Find(r.Context(), m.pool, gid)
	if errors.Is(err, grant.ErrUnknown) {
		api.Challenge(w, token.Scheme, "invalid_token")
		return clients.By{}, api.Refuse(http.StatusUnauthorized, "invalid_token", err)
	}
	if err != nil {
		return clients.By{}, err
	}
	return m.bodies.By(g.Person, token.ClientID, m.now()), nil
}

// name tells callers apart who may send the same Idempotency-Key.
func name(by clients.By) string {
	if by.Person == uuid.Nil {
		return by.ClientID
	}
	return by.ClientID + " " + by.Person.String()
}

// client gives a client to a caller who may see it.
func (m *Manage) client(r *http.Request, by clients.By) (*clients.Client, error) {
	id := r.PathValue("client_id")
	if by.Person == uuid.Nil {
		return m.clients.Look(r.Context(), id)
	}
	return m.bodies.Client(r.Context(), id, by.Person)
}

// since is from when on a caller may read what was done to a client: a body's people, from when it was theirs.
func since(c *clients.Client, by clients.By) time.Time {
	if by.Person == uuid.Nil || c.OwnedAt == nil {
		return time.Time{}
	}
	return *c.OwnedAt
}
