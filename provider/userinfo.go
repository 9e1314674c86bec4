package provider

import (
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/grant"
)

// userinfo handles GET and POST /userinfo (OpenID Connect Core §5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	raw, err := bearer(w, r)
	if err != nil {
		return err
	}
	if raw == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized) // nothing was shown, so nothing is wrong with it (RFC 6750 §3.1)
		return nil
	}
	token, err := p.verifier().Check(ctx, raw)
	if err != nil {
		return invalid(err)
	}
	if !token.Has("openid") {
		return refuse("insufficient_scope", "The token must have the scope openid.")
	}
	if denied, err := p.denied(ctx, token); err != nil {
		return err
	} else if denied {
		return refuse("invalid_token", "What was granted is over.")
	}
	var (
		b        pgx.Batch
		standing Standing
		claims   map[string]any
	)
	p.cfg.Accounts.Subject(&b, token.Subject, asks(token.Scopes, grant.Claims{UserInfo: token.Claims}), &standing, &claims)
	if err := p.cfg.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("ask for a person's claims: %w", err)
	}
	if !standing.Holds(token.AuthTime) {
		return refuse("invalid_token", "What was granted is over.")
	}
	answer := only(claims, append(claimsOf(token.Scopes), token.Claims...))
	answer["sub"] = token.Subject
	answerJSON(w, http.StatusOK, answer)
	return nil
}
