package provider

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
)

// bearer reads the access token of a request: from the header, or the body of a form, by one of them only, and never from the query
// (RFC 6750 §2). It is "" where none was sent.
func bearer(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.URL.Query().Has("access_token") {
		return "", refuse("invalid_request", "An access token does not belong in the query.")
	}
	scheme, header, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		header = ""
	}
	header = strings.TrimSpace(header)
	if r.Method != http.MethodPost || r.ContentLength == 0 {
		return header, nil
	}
	values, err := form(w, r)
	if err != nil {
		return "", err
	}
	switch body := values["access_token"]; {
	case len(body) > 1 || len(body) == 1 && header != "":
		return "", refuse("invalid_request", "The access token was sent more than once.")
	case len(body) == 1:
		return body[0], nil
	}
	return header, nil
}

// verifier checks our own access tokens.
func (p *Provider) verifier() api.Verifier {
	return api.Verifier{Keys: p.cfg.Keys, Issuer: p.cfg.Issuer, Audience: p.cfg.Issuer, Now: p.cfg.Now}
}

// invalid gives the refusal for a token that is not good, and keeps an error that only says that it cannot be told.
func invalid(err error) error {
	if errors.Is(err, api.ErrToken) {
		return refuse("invalid_token", "The access token is not good here.").because(err)
	}
	return err
}

// denied tells whether an access token was ended before its time: itself, its grant, or its client, which is out of use.
func (p *Provider) denied(ctx context.Context, t api.Token) (bool, error) {
	switch _, err := p.cfg.Clients.Find(ctx, t.ClientID); {
	case errors.Is(err, clients.ErrUnknown):
		return true, nil
	case err != nil:
		return false, err
	}
	id, err := denialID(t)
	if err != nil {
		return false, err
	}
	return p.cfg.Denials.Denied(ctx, id)
}

// denialID is under what an access token is denied: its grant, or itself where a client has it in its own name.
func denialID(t api.Token) (uuid.UUID, error) {
	if t.GID != "" {
		return uuid.Parse(t.GID)
	}
	return uuid.Parse(t.ID)
}
