package manage

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
)

// A Bearer checks the access tokens of the management API: that they are good,
// that they still hold, and that their client still may.
type Bearer struct {
	Verifier api.Verifier // for this API's audience
	Denials  *grant.Denials
	Clients  *clients.Registry
}

// ofPeople are the scopes that a person may bring; whether this person may, the room behind the door knows. All others are of
// systems: any citizen can sign in at an operator's client, which makes nobody an operator.
var ofPeople = []string{"desk:act", "operator:act", "policy:manage", "register:manage", ownClients}

// Require gives the request's token if it is good for the scope. The error is a
// 401 or 403 problem with WWW-Authenticate (RFC 6750 §3), or one of ours.
func (b Bearer) Require(w http.ResponseWriter, r *http.Request, scope string) (api.Token, error) {
	token, err := b.Verifier.Require(w, r, scope)
	if err != nil {
		return api.Token{}, err
	}
	return b.held(w, r, token, scope)
}

// Either gives the request's token if it is good: for one scope, where it is a system's own, and for another, where it is a person's.
func (b Bearer) Either(w http.ResponseWriter, r *http.Request, system, person string) (api.Token, error) {
	token, err := b.Verifier.Verify(w, r)
	if err != nil {
		return api.Token{}, err
	}
	scope := person
	if token.ByClient() {
		scope = system
	}
	if !token.Has(scope) {
		api.Challenge(w, token.Scheme, "insufficient_scope", `scope="`+scope+`"`)
		return api.Token{}, api.Refuse(http.StatusForbidden, "insufficient_scope", nil)
	}
	return b.held(w, r, token, scope)
}

// held gives the token if it still holds, and its client still may.
func (b Bearer) held(w http.ResponseWriter, r *http.Request, token api.Token, scope string) (api.Token, error) {
	over := func(cause error) (api.Token, error) {
		api.Challenge(w, token.Scheme, "invalid_token")
		return api.Token{}, api.Refuse(http.StatusUnauthorized, "invalid_token", cause)
	}
	var holder *clients.Client
	for _, id := range token.Clients() {
		client, err := b.Clients.Find(r.Context(), id)
		switch {
		case errors.Is(err, clients.ErrUnknown):
			return over(err)
		case err != nil:
			return api.Token{}, fmt.Errorf("check token: %w", err)
		}
		holder = client
	}
	if !holder.Allows(scope) {
		return over(errors.New("the client may not ask for the scope any more"))
	}
	// A person's token ends with its grant; one that a client has in its own name, by itself.
	id := token.GID
	if token.ByClient() {
		id = token.ID
	}
	ending, err := uuid.Parse(id)
	if err != nil {
		return over(fmt.Errorf("neither a grant nor a jti of ours: %w", err))
	}
	denied, err := b.Denials.Denied(r.Context(), ending)
	switch {
	case err != nil:
		return api.Token{}, fmt.Errorf("check token: %w", err)
	case denied:
		return over(errors.New("the token was ended"))
	case !token.ByClient() && !slices.Contains(ofPeople, scope):
		return api.Token{}, api.Refuse(http.StatusForbidden, "client_required", errors.New("a person's token"))
	}
	return token, nil
}
