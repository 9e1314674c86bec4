package provider

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/api"
	"asoba.example/provider/grant"
)

// userinfo handles GET and POST /userinfo (OpenID Connect Core §5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	token, err := p.admit(w, r)
	if err != nil {
		return err
	}
	if token.Scheme == "" {
		api.Challenge(w, "", "")
		w.WriteHeader(http.StatusUnauthorized) // nothing was shown, so nothing is wrong with it (RFC 6750 §3.1)
		return nil
	}
	over := refuse("invalid_token", "What was granted is over.").shown(token.Scheme)
	if !token.Has("openid") {
		return refuse("insufficient_scope", "The token must have the scope openid.").shown(token.Scheme)
	}
	client, err := p.findClient(ctx, token.ClientID)
	if err != nil {
		return err
	}
	gid, err := uuid.Parse(token.GID)
	if client == nil || err != nil {
		return over
	}
	if err := p.limits.take(r, client); err != nil {
		return err
	}
	if token.Proven != "" && !slices.Contains(policyOf(client).proofs, jose.SignatureAlgorithm(token.Proven)) {
		return refuse("invalid_dpop_proof", "The DPoP proof is not of an algorithm that the client may use.").shown(token.Scheme)
	}
	if denied, err := p.denied(ctx, token); err != nil {
		return err
	} else if denied {
		return over
	}
	var (
		b        pgx.Batch
		standing Standing
		claims   map[string]any
	)
	p.cfg.Accounts.Granted(&b, gid, asks(token.Scopes, grant.Claims{UserInfo: token.Claims}), &standing, &claims)
	if err := p.cfg.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("ask for a person's claims: %w", err)
	}
	if !standing.Holds(token.AuthTime) {
		return over
	}
	answer := only(claims, append(claimsOf(token.Scopes), token.Claims...))
	answer["sub"] = token.Subject
	alg := policyOf(client).userinfo
	if alg == "" {
		answerJSON(w, http.StatusOK, answer)
		return nil
	}
	signed, err := p.tokens.UserInfo(alg, client.ID, answer)
	if err != nil {
		return err
	}
	return answerPrivate(w, "application/jwt", []byte(signed))
}
