package provider

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/tokens"
)

// revoke handles POST /revoke (RFC 7009). It answers 200 when the token is of no more use, or was of none; never when ending it failed.
// token_type_hint is not needed: our tokens tell what they are.
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	client, values, err := p.asked(w, r)
	if err != nil {
		return err
	}
	token := values.Get("token")
	if token == "" {
		return refuse("invalid_request", "token is missing.")
	}
	if _, ours := p.opaque.Open(tokens.Refresh, token); ours {
		err = p.revokeRefresh(ctx, client, token)
	} else {
		err = p.revokeAccess(ctx, client, token)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

// revokeRefresh ends the grant of a refresh token, and with it the access tokens made from it (RFC 7009 §2.1).
func (p *Provider) revokeRefresh(ctx context.Context, client *clients.Client, token string) error {
	found, err := grant.FindRefresh(ctx, p.cfg.Pool, tokens.Digest(token))
	if errors.Is(err, grant.ErrUnknown) || err == nil && found.Grant.ClientID != client.ID {
		return nil // another client's is left alone
	}
	if err != nil {
		return err
	}
	return p.revokeGrant(ctx, found.Grant.ID)
}

// revokeAccess ends the grant of an access token; one that a client has in its own name has none, and is denied by itself.
func (p *Provider) revokeAccess(ctx context.Context, client *clients.Client, raw string) error {
	token, err := p.verifier().Inspect(ctx, raw)
	if errors.Is(err, api.ErrToken) || err == nil && token.ClientID != client.ID {
		return nil
	}
	if err != nil {
		return err
	}
	if token.Act != nil {
		// It would take the grant with it, which another client was given (RFC 7009 §2.2.1).
		return refuse("unsupported_token_type", "A token that was exchanged is not revoked by itself: it ends in minutes, or with the grant.")
	}
	id, err := denialID(token)
	if err != nil {
		return err
	}
	if token.ByClient() {
		return p.cfg.Denials.Deny(ctx, id)
	}
	return p.revokeGrant(ctx, id)
}

func (p *Provider) revokeGrant(ctx context.Context, gid uuid.UUID) error {
	return p.end(ctx, gid, func(tx pgx.Tx) error {
		return grant.EndOne(ctx, tx, p.cfg.Jobs, gid, grant.Revoked, p.cfg.Now())
	})
}
