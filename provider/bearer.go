package provider

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
)

// admit reads the access token of a request and checks it, and the proof beside it. The token is in the header, or, where nobody has to prove
// anything, in the body of a form; by one of them only, and never in the query (RFC 6750 §2).
func (p *Provider) admit(w http.ResponseWriter, r *http.Request) (api.Token, error) {
	scheme, raw := api.Credentials(r)
	if r.URL.Query().Has("access_token") {
		return api.Token{}, refuse("invalid_request", "An access token does not belong in the query.")
	}
	if r.Method == http.MethodPost && r.ContentLength != 0 {
		values, err := form(w, r)
		if err != nil {
			return api.Token{}, err
		}
		switch body := values["access_token"]; {
		case len(body) > 1 || len(body) == 1 && scheme != "":
			return api.Token{}, refuse("invalid_request", "The access token was sent more than once.")
		case len(body) == 1:
			scheme, raw = api.Bearer, body[0]
		}
	}
	if scheme == "" {
		return api.Token{}, nil
	}
	v := p.verifier()
	token, err := v.Admit(r, scheme, raw)
	if code := api.Reason(err); code != "" {
		v.Proofs.Challenge(w, err)
		return api.Token{}, refuse(code, "The access token is not good here, or not shown as it must be.").because(err).shown(scheme)
	}
	return token, err
}

// verifier checks our own access tokens.
func (p *Provider) verifier() api.Verifier {
	return api.Verifier{
		Keys: p.cfg.Keys, Issuer: p.cfg.Issuer, Audience: p.cfg.Issuer, Proofs: p.proofs, Verified: &p.verified, Now: p.cfg.Now,
	}
}

// denied tells whether an access token was ended before its time: itself, its grant, or a client that it came through, which is out of use.
func (p *Provider) denied(ctx context.Context, t api.Token) (bool, error) {
	for _, id := range t.Clients() {
		switch _, err := p.cfg.Clients.Find(ctx, id); {
		case errors.Is(err, clients.ErrUnknown):
			return true, nil
		case err != nil:
			return false, err
		}
	}
	id, err := denialID(t)
	if err != nil {
		return false, err
	}
	return p.cfg.Denials.Denied(ctx, id)
}

// denialID is under what an access token is denied: its grant, or itself where a client has it in its own name.
func denialID(t api.Token) (uuid.UUID, error) {
	if t.ByClient() {
		return uuid.Parse(t.ID)
	}
	return uuid.Parse(t.GID)
}
