package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/cabinet/issuer"
	"asoba.example/cabinet/issuer/issuertest"
	"asoba.example/provider/api"
)

// clock is a test's own time.
type clock struct{ at time.Time }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)} }

// A key that the provider has begun to use is found; one it has withdrawn is not; and strangers' kids make no traffic.
func TestKeysAreTheProvidersOwn(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	i := p.Issuer(t, "http://localhost/callback")
	check := func(token string) error {
		_, err := api.Verifier{Keys: i, Issuer: p.URL, Audience: "aud", Now: c.now}.Check(t.Context(), token)
		return err
	}
	old := p.AccessToken("aud", map[string]any{"sub": "somebody"})
	if err := check(old); err != nil {
		t.Fatalf("the first key: %v", err)
	}
	p.Rotate(t)
	fresh := p.AccessToken("aud", map[string]any{"sub": "somebody"})
	if err := check(fresh); err == nil {
		t.Error("the keys were fetched again within the pause")
	}
	c.pass(5 * time.Second)
	if err := check(fresh); err != nil {
		t.Errorf("the second key: %v", err)
	}
	if _, err := i.Key(t.Context(), kid(t, old)); !errors.Is(err, api.ErrUnknownKey) {
		t.Errorf("a withdrawn key: got %v, want %v", err, api.ErrUnknownKey)
	}
}

// Whoever came first and has left breaks off nothing for the others; and while the provider is away, all hear that of a key that may be new.
func TestAKeyIsFetchedForAll(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	i := p.Issuer(t, "http://localhost/callback")
	if err := i.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	fresh := func() string {
		p.Rotate(t)
		c.pass(5 * time.Second)
		return kid(t, p.AccessToken("aud", map[string]any{"sub": "somebody"}))
	}
	of := fresh()
	_, _ = i.Key(gone, of)
	if _, err := i.Key(t.Context(), of); err != nil {
		t.Errorf("after one who has left: %v", err)
	}
	of = fresh()
	p.Down(true)
	for range 2 {
		if _, err := i.Key(t.Context(), of); !errors.Is(err, issuer.ErrAway) {
			t.Errorf("away: got %v, want %v", err, issuer.ErrAway)
		}
	}
}

// A key of which it was told that it is gone is none, though the provider still publishes it; the others are.
func TestAKeyThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	i := p.Issuer(t, "http://localhost/callback")
	good := kid(t, p.AccessToken("aud", map[string]any{"sub": "somebody"}))
	if _, err := i.Key(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if err := i.Forget(t.Context(), []string{"another"}); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Key(t.Context(), good); err != nil {
		t.Errorf("another was gone: %v", err)
	}
	if err := i.Forget(t.Context(), []string{good}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := i.Key(t.Context(), good); !errors.Is(err, api.ErrUnknownKey) {
			t.Errorf("what is gone: got %v, want %v", err, api.ErrUnknownKey)
		}
		c.pass(5 * time.Second) // and it is fetched again
	}
}

// Which keys are gone is in memory alone; but so are those that are good. A program that begins anew while the provider is away believes in none, and
// afterwards in what is published by then.
func TestAKeyThatIsGoneDoesNotComeBackByARestart(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	gone := kid(t, p.AccessToken("aud", nil))
	before := p.Issuer(t, "http://localhost/callback")
	if _, err := before.Key(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	p.Rotate(t)
	good := kid(t, p.AccessToken("aud", nil))
	if err := before.Forget(t.Context(), []string{gone}); err != nil {
		t.Fatal(err)
	}
	p.Down(true)
	after := p.Issuer(t, "http://localhost/callback")
	for _, id := range []string{gone, good} {
		if _, err := after.Key(t.Context(), id); !errors.Is(err, issuer.ErrAway) {
			t.Errorf("while it is away: got %v, want %v", err, issuer.ErrAway)
		}
	}
	p.Down(false)
	c.pass(5 * time.Second)
	if _, err := after.Key(t.Context(), gone); !errors.Is(err, api.ErrUnknownKey) {
		t.Errorf("what is gone: got %v, want %v", err, api.ErrUnknownKey)
	}
	if _, err := after.Key(t.Context(), good); err != nil {
		t.Errorf("what is good: %v", err)
	}
}

// That the provider is away is not the same as that it does not know a key; and it is asked again when it is back.
func TestAwayIsNotUnknown(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	i := p.Issuer(t, "http://localhost/callback")
	id := kid(t, p.AccessToken("aud", nil))
	p.Down(true)
	for range 2 { // the second is refused without asking
		if _, err := i.Key(t.Context(), id); !errors.Is(err, issuer.ErrAway) || errors.Is(err, api.ErrUnknownKey) {
			t.Errorf("got %v, want %v", err, issuer.ErrAway)
		}
	}
	if _, err := i.Active(t.Context(), "token", c.now()); !errors.Is(err, issuer.ErrAway) {
		t.Errorf("introspection: got %v, want %v", err, issuer.ErrAway)
	}
	p.Down(false)
	c.pass(5 * time.Second)
	if _, err := i.Key(t.Context(), id); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	p.Down(true)
	if err := i.Refresh(t.Context()); !errors.Is(err, issuer.ErrAway) {
		t.Errorf("refresh: got %v, want %v", err, issuer.ErrAway)
	}
	if _, err := i.Key(t.Context(), id); err != nil {
		t.Errorf("the last keys did not stay: %v", err)
	}
}

// The feed's token is kept while it is good, and replaced when its time is over or the feed refuses it.
func TestFeedTokenIsKeptWhileItIsGood(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	i := p.Issuer(t, "http://localhost/callback")
	get := func(refused string) string {
		t.Helper()
		token, err := i.FeedToken(t.Context(), refused)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	first := get("")
	if p.Scope != "changes:read" {
		t.Errorf("asked for %q", p.Scope)
	}
	if get("") != first {
		t.Error("a good token was not kept")
	}
	second := get(first)
	if second == first {
		t.Error("a refused token was given again")
	}
	if get(first) != second {
		t.Error("the token that replaced a refused one was not kept")
	}
	c.pass(5 * time.Minute)
	if get("") == second {
		t.Error("a token was given when its time was over")
	}
}

// Only a private key of a strong kind is a client key, and it does not print itself.
func TestClientKey(t *testing.T) {
	t.Parallel()
	p := issuertest.New(t, newClock().now)
	private := p.ClientKey(t)
	key, err := issuer.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(private); err != nil {
		t.Fatal(err)
	}
	public, err := jwk.Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"public": string(public), "a secret": `{"kty":"oct","k":"c2VjcmV0"}`, "no JWK": `{}`, "no JSON": "-----BEGIN",
	} {
		if _, err := issuer.ParseKey([]byte(text)); err == nil || strings.Contains(err.Error(), "c2Vj") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got := fmt.Sprintf(verb, key); got != "key client" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

// A code is redeemed by whoever began the sign-in, once.
func TestRedeem(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	i := p.Issuer(t, "http://localhost/callback")
	p.SignIn(map[string]any{"sub": "somebody", "auth_time": c.at.Unix(), "acr": "low"}, " Анна ")
	code := func(q issuer.Request) string {
		t.Helper()
		to, err := i.SignInURL(t.Context(), q, "be")
		if err != nil {
			t.Fatal(err)
		}
		back, err := issuertest.Follow(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		return back.Get("code")
	}
	q := issuer.NewRequest()
	one := code(q)
	got, err := i.Redeem(t.Context(), q, one)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "somebody" || got.Name != "Анна" || !got.AuthTime.Equal(c.at) || got.AccessToken == "" {
		t.Errorf("got %+v", got)
	}
	refused := func(name string, q issuer.Request, code string) {
		t.Helper()
		if _, err := i.Redeem(t.Context(), q, code); err == nil || errors.Is(err, issuer.ErrAway) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	refused("a second time", q, one)
	verifier := q
	verifier.Verifier = issuer.NewRequest().Verifier
	refused("another verifier", verifier, code(q))
	nonce := q
	nonce.Nonce = "another"
	refused("another nonce", nonce, code(q))
}

// kid is which key signed a token.
func kid(t *testing.T, token string) string {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Headers[0].KeyID
}

// Of a token that is over the provider tells whether the sign-in is good that gave it. Where it tells nothing, nobody can tell; of one that is not over that
// means that it is good no longer.
func TestASignInOutlivesItsToken(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := issuertest.New(t, c.now)
	i := p.Issuer(t, "http://localhost/callback")
	token := p.AccessToken("aud", map[string]any{"sub": "somebody", "client_id": issuertest.ClientID})
	till := c.now().Add(5 * time.Minute)
	check := func(story string, want bool, wantErr error) {
		t.Helper()
		if got, err := i.Active(t.Context(), token, till); got != want || !errors.Is(err, wantErr) {
			t.Errorf("%s: got %v, %v; want %v, %v", story, got, err, want, wantErr)
		}
	}
	check("good", true, nil)
	p.Inactive(true)
	check("ended", false, nil)
	c.pass(time.Hour)
	check("over, and nothing is told", false, issuer.ErrAway)
	p.Inactive(false)
	check("over", true, nil)
	p.SignOut()
	check("over, and signed out", false, nil)
}
