package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
)

// Whatever strangers send to be taken for a client, it is read without a panic, by one method at most, and never as nobody.
func FuzzCredentials(f *testing.F) {
	f.Add("Basic cG9ydGFsOnNlY3JldA==", "")
	f.Add("Basic "+strings.Repeat("=", 9), "client_id=portal&client_secret=x")
	f.Add("", "client_assertion_type="+url.QueryEscape(assertionType)+"&client_assertion=eyJhbGciOiJub25lIn0.e30.")
	f.Add("", "client_id=%00")
	f.Fuzz(func(t *testing.T, authorization, body string) {
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", authorization)
		values, err := form(httptest.NewRecorder(), r)
		if err != nil {
			return
		}
		c, err := credentialsOf(r, values)
		if err == nil && (c.method == "" || c.id == "" && c.method != "client_secret_basic") {
			t.Errorf("%q, %q: read as %q by %q", authorization, body, c.id, c.method)
		}
	})
}

// Whatever is typed for a user code, it is read as one of those that are made, or as none; and what is made is read as itself, however it is
// copied (RFC 8628 §6.1).
func FuzzUserCode(f *testing.F) {
	for _, typed := range []string{newUserCode(), "bcdf ghjk", "ВСDF-GHJК", "", "BCDF-GHJA", "BCDF-GHJKL", "\xff", strings.Repeat("-", 65)} {
		f.Add(typed)
	}
	made := regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`)
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := parseUserCode(typed)
		if !ok {
			if made.MatchString(typed) {
				t.Errorf("%q is not read", typed)
			}
			return
		}
		again, ok := parseUserCode(strings.ToLower(strings.ReplaceAll(code, "-", " ")))
		if !made.MatchString(code) || !ok || again != code {
			t.Errorf("%q is read as %q, and that as %q", typed, code, again)
		}
	})
}

// Whatever a client signs, what comes out of its request object is the client's own request and refers to no other; and what nobody signed
// does not open.
func FuzzRequestObject(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		f.Fatal(err)
	}
	p := &Provider{cfg: Config{Issuer: "https://id.example", Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}}
	client := &clients.Client{ID: "portal", Metadata: clients.Metadata{JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public()}}}}}
	f.Add("eyJhbGciOiJub25lIn0.e30.", `{"iss":"portal","client_id":"portal","aud":["https://id.example"],"max_age":0,"claims":{"userinfo":null}}`)
	f.Add("a.b.c", `{"client_id":"portal","client_id":"other","request":"x"}`)
	f.Add(strings.Repeat(".", 99), `{"CLIENT_ID":"other","request_uri":"urn:x","resource":["a",1],"exp":1e400,"nbf":-1}`)
	f.Fuzz(func(t *testing.T, unsigned, payload string) {
		for _, strict := range []bool{false, true} {
			q := &request{client: client, policy: policy{objects: signingAlgs, signed: strict}}
			if values, err := p.open(t.Context(), q, []string{unsigned}); err == nil {
				t.Errorf("%q opened: %v", unsigned, values)
			}
			signed, err := signer.Sign([]byte(payload))
			if err != nil {
				t.Fatal(err)
			}
			object, err := signed.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			values, err := p.open(t.Context(), q, []string{object})
			if err != nil {
				continue
			}
			if !slices.Equal(values["client_id"], []string{"portal"}) || values.Has("request") || values.Has("request_uri") || values.Has("iss") {
				t.Errorf("%s became %v", payload, values)
			}
		}
	})
}

// Whatever a client asks for by name, it gets nothing that it is not registered for, and whom it names is not kept.
func FuzzClaims(f *testing.F) {
	f.Add(`{"userinfo":{"name":{"essential":true},"email":null},"id_token":{"acr":{"essential":true,"values":["low"]},"phone_number":null}}`)
	f.Add(`{"id_token":{"sub":{"value":"3080356A001PB5"}},"userinfo":{"sub":{"values":["3080356A001PB5",1,null]}}}`)
	f.Add(`{"id_token":{"acr":{"value":{"value":[]}}},"USERINFO":{"name":null},"userinfo":{"name":0}}`)
	f.Add(`{"userinfo":{"name":null},"userinfo":{}}`)
	f.Add(strings.Repeat(`{"userinfo":`, 200))
	client := &clients.Client{ID: "portal", Metadata: clients.Metadata{Scope: "openid phone"}}
	f.Fuzz(func(t *testing.T, text string) {
		q := &request{client: client, values: url.Values{"claims": {text}}}
		if err := new(Provider).checkClaims(t.Context(), q); err != nil {
			return
		}
		for _, name := range append(q.claims.UserInfo, q.claims.IDToken...) {
			if !slices.Contains(claimsBy["phone"], name) {
				t.Errorf("%s gives %s", text, name)
			}
		}
		if q.acr != "" && api.Level(q.acr) == 0 || q.hint != "" && len(q.hint) != len(digest("")) {
			t.Errorf("%s asks for level %q of %q", text, q.acr, q.hint)
		}
		if q.interaction(time.Time{}).Request.Has("claims") {
			t.Errorf("%s is kept", text)
		}
	})
}

// Whatever stands in a query or a form, both are read alike, nothing in it is empty, and nothing that was sent twice is taken for one
// (RFC 6749 §3.1).
func FuzzParameters(f *testing.F) {
	for _, sent := range []string{"client_id=portal&state=a+b%26", "state=a&state=b", "resource=a&resource=b", "state=&state=&scope", "a=%zz", "a;b=c", "&&=", "\xff=%00"} {
		f.Add(sent)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		get := &http.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: sent}}
		post := httptest.NewRequest(http.MethodPost, "/authorize", strings.NewReader(sent))
		post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		values, err := parameters(httptest.NewRecorder(), get)
		posted, errPosted := parameters(httptest.NewRecorder(), post)
		if len(sent) > maxBody { // of a query the server bounds the length
			return
		}
		if (err == nil) != (errPosted == nil) || !maps.EqualFunc(values, posted, slices.Equal) {
			t.Errorf("%q: by GET %v, %v, by POST %v, %v", sent, values, err, posted, errPosted)
		}
		single := once(values) == nil
		for name, all := range values {
			if len(all) == 0 || slices.Contains(all, "") || single && len(all) > 1 && name != "resource" {
				t.Errorf("%q: %s is %q", sent, name, all)
			}
		}
	})
}

// Whatever is asked for as scope, a client has what is known and what it is registered for, each once, in the order in which it asked.
func FuzzScope(f *testing.F) {
	for _, asked := range []string{"openid phone", "phone  openid openid", "openid\tphone\u00a0profile", "OPENID", "offline_access openid", "\x00", ""} {
		f.Add(asked)
	}
	client := &clients.Client{ID: "portal", Metadata: clients.Metadata{Scope: "openid phone offline_access", GrantTypes: []string{"authorization_code"}}}
	f.Fuzz(func(t *testing.T, asked string) {
		q := &request{client: client, values: url.Values{"scope": {asked}}}
		if err := new(Provider).checkScope(t.Context(), q); err != nil {
			return
		}
		rest := asked
		for i, scope := range q.scopes {
			_, after, found := strings.Cut(rest, scope)
			if !found || scope != "openid" && scope != "phone" || slices.Contains(q.scopes[:i], scope) {
				t.Errorf("%q gives %q", asked, q.scopes)
			}
			rest = after
		}
	})
}

// Whatever a client signs for an assertion, it is good only as its own, for us, for now, and once (RFC 7523 §3); and what nobody signed is not.
func FuzzAssertion(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		f.Fatal(err)
	}
	const issuer = "https://id.example"
	now := time.Unix(1_700_000_000, 0)
	p := &Provider{cfg: Config{Issuer: issuer, Now: func() time.Time { return now }}}
	client := &clients.Client{ID: "portal", Metadata: clients.Metadata{
		RequirePKCE: new(true), JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public()}}},
	}}
	check := func(t *testing.T, assertion string) (turn, error) {
		c, err := assertionCredentials(credentials{assertion: assertion})
		if err != nil || c.id != client.ID {
			return turn{}, errors.Join(errors.New("it is another's"), err)
		}
		return p.checkAssertion(t.Context(), client, c.parsed)
	}
	const claims = `"iss":"portal","sub":"portal","jti":"1"`
	f.Add("eyJhbGciOiJub25lIn0.e30.", `{`+claims+`,"aud":"https://id.example","exp":1700000060}`)
	f.Add("a.b.c", `{`+claims+`,"aud":["https://id.example"],"exp":1700000060,"nbf":1700000009.5}`)
	f.Add(strings.Repeat(".", 99), `{`+claims+`,"aud":"https://id.example","exp":9223372036854775807}`)
	f.Add("", `{"SUB":"portal","sub":"portal","sub":"other","iss":null,"exp":-1e308,"iat":"now"}`)
	f.Fuzz(func(t *testing.T, unsigned, payload string) {
		if turn, err := check(t, unsigned); err == nil {
			t.Errorf("%q is good: %v", unsigned, turn)
		}
		signed, err := signer.Sign([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		assertion, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		turn, err := check(t, assertion)
		if err == nil && (turn.place == "" || turn.taken == nil || turn.keep < skew || turn.keep > assertionFor+2*skew || !strings.Contains(payload, issuer)) {
			t.Errorf("%s is good: %v", payload, turn)
		}
	})
}

// A description is printable ASCII without quotation mark and backslash, whatever went into it (RFC 6749 §5.2).
func FuzzPrintable(f *testing.F) {
	f.Add("a \"quote\" and a \\ and a \n and ё")
	allowed := regexp.MustCompile(`^[ !#-\[\]-~]*$`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := printable(s); !allowed.MatchString(got) {
			t.Errorf("%q became %q", s, got)
		}
	})
}
