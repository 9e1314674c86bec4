package provider_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/clients"
)

// landings are the redirect URIs of clients of two sectors.
var landings = map[string]string{"left": callback, "right": "https://PORTAL.example/cb/right", "other": "https://other.example/cb"}

// pairwise registers clients of two sectors, "left" and "right" of one and "other" of another, that do not know people by their identifier.
func (w *world) pairwise() {
	w.t.Helper()
	for id, redirect := range landings {
		w.add(id, clients.Metadata{
			RedirectURIs: []string{redirect}, GrantTypes: []string{"authorization_code", "refresh_token"}, FirstParty: true,
			PostLogoutRedirectURIs: []string{"https://portal.example/bye"},
			Scope:                  "openid profile identification_number offline_access", SubjectType: "pairwise",
		})
	}
	w.add("issuer", clients.Metadata{GrantTypes: []string{"client_credentials"}, Scope: "changes:read", ResourceServer: w.issuer})
}

// learns signs in at a client and gives the sub by which it knows the person, having held that it is told the same everywhere, and that
// nothing that it is told holds the identifier, or the session that other clients have a part in.
func (w *world) learns(client string) (sub string, tokens answer) {
	w.t.Helper()
	redirect := landings[client]
	to := w.browser().follow("/authorize?" + params(client, "redirect_uri", redirect, "scope", "openid profile offline_access").Encode())
	address := must(url.Parse(to))
	tokens = w.redeem(client, address.Query().Get("code"), "redirect_uri", redirect)
	tokens.check(w.t, http.StatusOK, "")
	refreshed := w.refresh(client, tokens.text("refresh_token"))
	refreshed.check(w.t, http.StatusOK, "")
	var subs, sids []any
	told := to
	for _, a := range []answer{tokens, refreshed} {
		for _, token := range []string{a.text("id_token"), a.text("access_token")} {
			_, claims := w.claims(token)
			subs, sids = append(subs, claims["sub"]), append(sids, claims["sid"])
			payload := must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1]))
			told += string(payload)
		}
		info := w.userinfo(a.text("access_token"))
		introspected := w.introspect("issuer", a.text("access_token"))
		subs, sids = append(subs, info.body["sub"], introspected.body["sub"]), append(sids, introspected.body["sid"])
		told += fmt.Sprint(a.body, info.body, info.header, introspected.body)
	}
	sub, _ = subs[0].(string)
	if slices.ContainsFunc(subs, func(other any) bool { return other != sub }) || sub == "" {
		w.t.Errorf("%s knows a person by several: %v", client, subs)
	}
	if sid := sids[0]; slices.ContainsFunc(sids, func(other any) bool { return other != sid }) || sid == "" {
		w.t.Errorf("%s knows a session by several: %v", client, sids)
	}
	rows, _ := w.pool.Query(w.t.Context(), `SELECT sid FROM client_grant`)
	for _, secret := range append(must(pgx.CollectRows(rows, pgx.RowTo[string])), identifier, w.person.String()) {
		if strings.Contains(told, secret) {
			w.t.Errorf("%s is told %s: %s", client, secret, told)
		}
	}
	return sub, tokens
}

// A pairwise client knows a person by a sub that its sector alone has, wherever it is told one, and never by the identifier; it stays
// when the identifier changes (OpenID Connect Core §8.1).
func TestPairwiseSubjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pairwise()
	left, tokens := w.learns("left")
	right, _ := w.learns("right")
	other, _ := w.learns("other")
	if left != right || left == other || len(left) < 22 {
		t.Errorf("the clients of one sector know %s and %s, that of another %s", left, right, other)
	}
	w.exec(`UPDATE person SET identification_number = '4080356A001PB6' WHERE id = $1`, w.person)
	if renamed, _ := w.learns("left"); renamed != left {
		t.Errorf("another identifier made %s of %s", renamed, left)
	}
	w.userinfo(tokens.text("access_token")).check(t, http.StatusOK, "")
	w.block()
	w.userinfo(tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
}

// The identifier goes to a pairwise client as a claim, under the scope of its own.
func TestAPairwiseClientMayAskForTheIdentifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pairwise()
	tokens := w.redeem("left", w.browser().code("left", "scope", "openid identification_number"))
	if got := w.userinfo(tokens.text("access_token")).body; got["identification_number"] != identifier || got["sub"] == identifier {
		t.Errorf("got %v", got)
	}
}

// A hint names the person as its client knows them. One of another sector names nobody: else it would tell two clients together whether
// they know the same person (OpenID Connect Core §3.1.2.1, §8.1).
func TestHintsOfPairwiseClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pairwise()
	hints := map[string]string{}
	for client, redirect := range map[string]string{"left": callback, "other": landings["other"], "portal": callback} {
		to := must(url.Parse(w.browser().follow("/authorize?" + params(client, "redirect_uri", redirect).Encode())))
		hints[client] = w.redeem(client, to.Query().Get("code"), "redirect_uri", redirect).text("id_token")
	}
	b := w.browser()
	b.code("left")
	for client, want := range map[string]string{"left": "", "other": "login_required", "portal": "login_required"} {
		if got := b.authorize(params("left", "prompt", "none", "id_token_hint", hints[client])).Get("error"); got != want {
			t.Errorf("a hint of %s: got %q, want %q", client, got, want)
		}
	}
	if got := b.authorize(params("portal", "prompt", "none", "id_token_hint", hints["left"])).Get("error"); got != "login_required" {
		t.Errorf("a pairwise hint at a public client: got %q", got)
	}
	// The session of the hint is over, but the person is the same: they are signed out without a question.
	w.pass(time.Minute)
	to, _, _ := b.get("/logout?" + url.Values{"id_token_hint": {hints["left"]}, "post_logout_redirect_uri": {"https://portal.example/bye"}}.Encode())
	if to != "https://portal.example/bye" {
		t.Errorf("signed out to %q", to)
	}
}

// A sign-out is told to a pairwise client by the sid that its ID token has (OpenID Connect Front-Channel Logout §2).
func TestAPairwiseClientIsToldOfItsOwnSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("framed", clients.Metadata{
		RedirectURIs: []string{callback}, FirstParty: true, SubjectType: "pairwise", FrontchannelLogoutURI: "https://portal.example/out",
	})
	b := w.browser()
	hint := w.redeem("framed", b.code("framed")).text("id_token")
	_, claims := w.claims(hint)
	_, _, body := b.get("/logout?" + url.Values{"id_token_hint": {hint}}.Encode())
	if want := "sid=" + claims["sid"].(string) + `"`; !strings.Contains(body, want) {
		t.Errorf("no %s in %s", want, body)
	}
}
