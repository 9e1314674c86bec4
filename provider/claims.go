package provider

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/go-jose/go-jose/v4/json" // tells names apart by case, and takes none twice

	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
)

// claimsOf gives the claims that scopes give at UserInfo.
func claimsOf(scopes []string) []string {
	var all []string
	for _, s := range scopes {
		all = append(all, claimsBy[s]...)
	}
	return all
}

// only gives those of a person's claims that are named. One without a value is left out rather than told as null or "" (OpenID Connect Core
// §5.3.2).
func only(claims map[string]any, names []string) map[string]any {
	named := map[string]any{}
	for _, name := range names {
		if value := claims[name]; value != nil && value != "" {
			named[name] = value
		}
	}
	return named
}

// scopesOf gives the scopes to which claims belong.
func scopesOf(claims []string) []string {
	var all []string
	for _, s := range clients.IdentityScopes {
		if s != "openid" && len(common(claims, claimsBy[s])) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// asks gives what a person is asked about: scopes, and those to which claims belong.
func asks(scopes []string, claims grant.Claims) []string {
	more := slices.DeleteFunc(scopesOf(slices.Concat(claims.UserInfo, claims.IDToken)), func(s string) bool { return slices.Contains(scopes, s) })
	return slices.Concat(scopes, more)
}

// claimsWithin gives those of claims that belong to the scopes.
func claimsWithin(claims grant.Claims, scopes []string) grant.Claims {
	given := claimsOf(scopes)
	return grant.Claims{UserInfo: common(claims.UserInfo, given), IDToken: common(claims.IDToken, given)}
}

// A claimAsked is how one claim is asked for: null, or by these (OpenID Connect Core §5.5.1).
type claimAsked struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`
}

// texts are the values that would do.
func (c *claimAsked) texts() []string {
	var all []string
	if c != nil {
		for _, value := range append([]any{c.Value}, c.Values...) {
			if text, ok := value.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// claimsParameter is the parameter claims (OpenID Connect Core §5.5).
type claimsParameter struct {
	UserInfo map[string]*claimAsked `json:"userinfo"`
	IDToken  map[string]*claimAsked `json:"id_token"`
}

// checkClaims takes what is asked for claim by claim. A claim belongs to a scope: one of a scope that the client is not registered for is
// ignored as one that nobody knows. Values are asked of acr and sub only, since the others are what they are.
func (p *Provider) checkClaims(_ context.Context, q *request) error {
	text := q.values.Get("claims")
	if text == "" {
		return nil
	}
	if len(text) > maxState {
		return refuse("invalid_request", "claims is longer than "+strconv.Itoa(maxState)+" bytes.")
	}
	var asked claimsParameter
	if err := json.Unmarshal([]byte(text), &asked); err != nil {
		return refuse("invalid_request", "claims is not JSON of the form that OpenID Connect Core 5.5 gives it.") // err may repeat whom it names
	}
	allowed := func(names map[string]*claimAsked) []string {
		return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool {
			scopes := scopesOf([]string{name})
			return len(scopes) == 0 || !q.client.Allows(scopes[0])
		})
	}
	q.claims = grant.Claims{UserInfo: allowed(asked.UserInfo), IDToken: allowed(asked.IDToken)}
	if acr := asked.IDToken["acr"]; acr != nil {
		switch least := leastLevel(acr.texts()); {
		case least != "":
			q.acr = least
		case acr.Essential && len(acr.texts()) > 0:
			return refuse("unmet_authentication_requirements", "None of the values of acr is one that is given here.")
		}
	}
	for _, names := range []map[string]*claimAsked{asked.IDToken, asked.UserInfo} {
		for _, sub := range names["sub"].texts() {
			if q.hint != "" && q.hint != digest(sub) {
				return refuse("invalid_request", "The request asks for more than one person.")
			}
			q.hint = digest(sub)
		}
	}
	return nil
}
