package provider

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"asoba.example/provider/api"
)

// introspect handles POST /introspect (RFC 7662). Only a resource server learns something, and only of tokens that are meant for it:
// of all others it hears the same as of garbage.
func (p *Provider) introspect(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	client, values, err := p.asked(w, r)
	if err != nil {
		return err
	}
	if client.Public() {
		return refuse("invalid_client", "A public client may not introspect tokens.")
	}
	if !values.Has("token") {
		return refuse("invalid_request", "token is missing.")
	}
	inactive := struct {
		Active bool `json:"active"`
	}{}
	token, err := p.verifier().Inspect(ctx, values.Get("token"))
	switch server := client.Metadata.ResourceServer; {
	case errors.Is(err, api.ErrToken), err == nil && (server == "" || !slices.Contains(token.Audience, server)):
		answerJSON(w, http.StatusOK, inactive)
		return nil
	case err != nil:
		return err
	}
	switch denied, err := p.denied(ctx, token); {
	case err != nil:
		return err
	case denied:
		answerJSON(w, http.StatusOK, inactive)
		return nil
	}
	answer := struct {
		Active    bool     `json:"active"`
		Issuer    string   `json:"iss"`
		Subject   string   `json:"sub"`
		Audience  []string `json:"aud"`
		ClientID  string   `json:"client_id"`
		Scope     string   `json:"scope"`
		TokenType string   `json:"token_type"`
		Expiry    int64    `json:"exp"`
		IssuedAt  int64    `json:"iat"`
		ID        string   `json:"jti"`
		AuthTime  int64    `json:"auth_time,omitempty"`
		ACR       string   `json:"acr,omitempty"`
		GID       string   `json:"gid,omitempty"`
		SID       string   `json:"sid,omitempty"`
	}{
		Active: true, Issuer: token.Issuer, Subject: token.Subject, Audience: token.Audience, ClientID: token.ClientID,
		Scope: strings.Join(token.Scopes, " "), TokenType: "Bearer", Expiry: token.Expiry.Unix(), IssuedAt: token.IssuedAt.Unix(),
		ID: token.ID, ACR: token.ACR, GID: token.GID, SID: token.SID,
	}
	if !token.AuthTime.IsZero() {
		answer.AuthTime = token.AuthTime.Unix()
	}
	answerJSON(w, http.StatusOK, answer)
	return nil
}
