package provider_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/keys"
)

// fetches counts how often a client has fetched the JWKS.
type fetches struct{ n atomic.Int64 }

func (f *fetches) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/jwks" {
		f.n.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// library verifies ID tokens as a client does, and counts.
func (w *world) library() (*oidc.IDTokenVerifier, *fetches) {
	fetched := new(fetches)
	ctx := oidc.ClientContext(context.WithoutCancel(w.t.Context()), &http.Client{Transport: fetched})
	return must(oidc.NewProvider(ctx, w.issuer)).Verifier(&oidc.Config{ClientID: "portal", Now: w.now}), fetched
}

// A client's library that keeps the JWKS notices nothing of a rotation: it had the key before it signed, and has the one
// that has retired (OpenID Connect Core §10.1.1). What the retired key signed is good to its end, and as a hint beyond it.
func TestARotationIsNoticedByNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	if err := w.ring.Tend(ctx); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	library, fetched := w.library()
	b := w.browser()
	before := w.redeem("portal", b.code("portal", "scope", "openid offline_access"))
	if _, err := library.Verify(ctx, before.text("id_token")); err != nil {
		t.Fatal(err)
	}
	for _, alg := range keys.Algorithms {
		if err := w.ring.Rotate(ctx, keys.Rotation{Alg: alg}); err != nil {
			t.Fatal(err)
		}
	}
	after := w.refresh("portal", before.text("refresh_token"))
	for name, tokens := range map[string]answer{"before": before, "after": after} {
		if _, err := library.Verify(ctx, tokens.text("id_token")); err != nil {
			t.Errorf("the ID token of %s the rotation: %v", name, err)
		}
		w.userinfo(tokens.text("access_token")).check(t, http.StatusOK, "")
	}
	if n := fetched.n.Load(); n != 1 {
		t.Errorf("the library fetched the JWKS %d times", n)
	}

	w.pass(2 * time.Hour) // the session is over by now, and the key is published no more
	if err := w.ring.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	w.userinfo(before.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	b.code("portal") // signs in anew
	if got := b.authorize(params("portal", "prompt", "none", "id_token_hint", before.text("id_token"))); !got.Has("code") {
		t.Errorf("got %v, want a code for a hint of before the rotation", got)
	}
}

// After a compromise nothing that the key signed opens a door, and no hint is believed; who refreshes goes on, and the
// library has the key that signs already.
func TestACompromisedKeyOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	if err := w.ring.Tend(ctx); err != nil {
		t.Fatal(err)
	}
	library, fetched := w.library()
	b := w.browser()
	before := w.redeem("portal", b.code("portal", "scope", "openid offline_access"))
	if _, err := library.Verify(ctx, before.text("id_token")); err != nil {
		t.Fatal(err)
	}
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256} {
		if err := w.ring.Rotate(ctx, keys.Rotation{Alg: alg, Compromised: true}); err != nil {
			t.Fatal(err)
		}
	}
	w.userinfo(before.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	hinted := params("portal", "prompt", "none", "id_token_hint", before.text("id_token"))
	if got := b.authorize(hinted); got.Get("error") != "invalid_request" {
		t.Errorf("got %v, want the hint refused", got)
	}
	after := w.refresh("portal", before.text("refresh_token"))
	w.userinfo(after.text("access_token")).check(t, http.StatusOK, "")
	if _, err := library.Verify(ctx, after.text("id_token")); err != nil || fetched.n.Load() != 1 {
		t.Errorf("the ID token of after it: %v, with %d fetches of the JWKS", err, fetched.n.Load())
	}
}
