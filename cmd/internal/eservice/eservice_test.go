package eservice

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"
)

// A citizen who signs in sees what the service knows; the same as JSON.
func TestSignIn(t *testing.T) {
	t.Parallel()
	w := begin(t)
	page := w.get("/sign-in", http.StatusOK)
	for _, text := range []string{"Вы вошли", "0000000A000PB2", "Кабинет активирован", "+375291110000"} {
		if !strings.Contains(html.UnescapeString(page), text) {
			t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
	var me struct {
		IDToken  map[string]any `json:"id_token"`
		UserInfo map[string]any `json:"userinfo"`
		Profile  map[string]any `json:"profile"`
	}
	if err := json.Unmarshal([]byte(w.get("/api/me", http.StatusOK)), &me); err != nil {
		t.Fatal(err)
	}
	if got := []any{me.IDToken["sub"], me.UserInfo["phone_number"], me.Profile["state"]}; fmt.Sprint(got) != "[0000000A000PB2 +375291110000 activated]" {
		t.Errorf("got %v", got)
	}
}

// Nothing but the provider's answer to this browser's own request signs anybody in.
func TestForeignAnswersAreRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w *world){
		"state of nobody's request": func(w *world) { w.answer = func(q url.Values) { q.Set("state", "x") } },
		"no state":                  func(w *world) { w.answer = func(q url.Values) { q.Del("state") } },
		"another issuer":            func(w *world) { w.answer = func(q url.Values) { q.Set("iss", "https://other.example") } },
		"no issuer":                 func(w *world) { w.answer = func(q url.Values) { q.Del("iss") } },
		"another request's nonce":   func(w *world) { w.claims = func(c map[string]any) { c["nonce"] = "x" } },
		"another client's token":    func(w *world) { w.claims = func(c map[string]any) { c["aud"] = "x" } },
		"an old token":              func(w *world) { w.claims = func(c map[string]any) { c["exp"] = 1 } },
		"userinfo of somebody else": func(w *world) { w.userinfo["sub"] = "somebody" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			spoil(w)
			if page := w.follow("GET", "/sign-in", nil); page.status < 400 {
				t.Errorf("answered %d", page.status)
			}
			w.get("/api/me", http.StatusUnauthorized)
		})
	}
}

// Whoever says no at the provider is told that nothing was passed on.
func TestDeclined(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.answer = func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }
	if page := w.get("/sign-in", http.StatusForbidden); !strings.Contains(page, "Ничего не передано") {
		t.Errorf("the page does not say so:\n%s", page)
	}
}

// When the cabinet refuses the token the visit is over here as well.
func TestEndedElsewhere(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.get("/sign-in", http.StatusOK)
	w.cabinet = http.StatusUnauthorized
	if page := w.get("/", http.StatusOK); !strings.Contains(page, "Ваш вход окончен") {
		t.Errorf("the page does not say so:\n%s", page)
	}
	w.cabinet = http.StatusOK
	w.get("/api/me", http.StatusUnauthorized)
}

// A sign-out brings the ID token to the provider in a body, and forgets the visit.
func TestSignOut(t *testing.T) {
	t.Parallel()
	w := begin(t)
	page := w.get("/sign-in", http.StatusOK)
	_, hint, _ := strings.Cut(page, `name="id_token_hint" value="`)
	hint, _, _ = strings.Cut(hint, `"`)
	w.follow("POST", "/sign-out", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {w.url + "/"}})
	if w.signedOut.Get("id_token_hint") != hint || w.signedOut.Get("post_logout_redirect_uri") != w.url+"/" {
		t.Errorf("the provider got %v", w.signedOut)
	}
	w.get("/api/me", http.StatusUnauthorized)
}

// When the provider says that a session is over, that visit ends, and no other; and only the provider can say so (OpenID Connect
// Back-Channel Logout §2.6).
func TestSignedOutElsewhere(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.claims = func(c map[string]any) { c["sid"] = "s1" }
	tell := func(change func(map[string]any)) int {
		t.Helper()
		claims := map[string]any{
			"iss": w.issuer, "aud": "sample", "sub": "0000000A000PB2", "sid": "s1", "jti": "j",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		}
		change(claims)
		answer, err := http.PostForm(w.url+"/back-channel-logout", url.Values{"logout_token": {w.sign(claims)}})
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	w.get("/sign-in", http.StatusOK)
	for name, change := range map[string]func(map[string]any){
		"another client's": func(c map[string]any) { c["aud"] = "x" },
		"another issuer's": func(c map[string]any) { c["iss"] = "https://other.example" },
		"an old one":       func(c map[string]any) { c["exp"] = 1 },
		"an ID token":      func(c map[string]any) { c["nonce"] = "n"; delete(c, "events") },
		"nobody's":         func(c map[string]any) { delete(c, "sub"); delete(c, "sid") },
	} {
		if status := tell(change); status != http.StatusBadRequest {
			t.Errorf("%s: answered %d", name, status)
		}
	}
	if status := tell(func(c map[string]any) { c["sid"] = "s2" }); status != http.StatusOK {
		t.Errorf("another session: answered %d", status)
	}
	w.get("/api/me", http.StatusOK)
	for range 2 {
		if status := tell(func(map[string]any) {}); status != http.StatusOK {
			t.Errorf("answered %d", status)
		}
		w.get("/api/me", http.StatusUnauthorized)
	}
	w.get("/sign-in", http.StatusOK)
	if status := tell(func(c map[string]any) { delete(c, "sid") }); status != http.StatusOK {
		t.Errorf("every session: answered %d", status)
	}
	w.get("/api/me", http.StatusUnauthorized)
}

// A world is a provider and a cabinet made for one test, the e-service, and a browser.
type world struct {
	t         *testing.T
	url       string
	issuer    string
	sign      func(claims map[string]any) string // as the provider does
	browser   *http.Client
	answer    func(url.Values)     // spoils the authorization response
	claims    func(map[string]any) // spoils the ID token
	userinfo  map[string]any
	cabinet   int // the status that the cabinet answers with
	signedOut url.Values
}

func begin(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, cabinet: http.StatusOK, answer: func(url.Values) {}, claims: func(map[string]any) {}}
	w.userinfo = map[string]any{"sub": "0000000A000PB2", "name": "Имя", "phone_number": "+375291110000"}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: "ES256"}}}
	mux := http.NewServeMux()
	op := httptest.NewServer(mux)
	t.Cleanup(op.Close)
	keys.SetIssuer(op.URL)
	w.issuer = op.URL
	w.sign = func(claims map[string]any) string {
		b, _ := json.Marshal(claims)
		return oidctest.SignIDToken(key, "k", "ES256", string(b))
	}

	var asked url.Values
	mux.HandleFunc("GET /.well-known/openid-configuration", func(rw http.ResponseWriter, _ *http.Request) {
		write(rw, map[string]any{
			"issuer": op.URL, "authorization_endpoint": op.URL + "/authorize", "token_endpoint": op.URL + "/token",
			"jwks_uri": op.URL + "/keys", "userinfo_endpoint": op.URL + "/userinfo", "end_session_endpoint": op.URL + "/logout",
			"id_token_signing_alg_values_supported":          []string{"ES256"},
			"authorization_response_iss_parameter_supported": true,
		})
	})
	mux.Handle("GET /keys", keys)
	mux.HandleFunc("GET /authorize", func(rw http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		back := url.Values{"code": {"c"}, "state": {asked.Get("state")}, "iss": {op.URL}}
		w.answer(back)
		http.Redirect(rw, r, asked.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /token", func(rw http.ResponseWriter, r *http.Request) {
		challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
			http.Error(rw, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		claims := map[string]any{
			"iss": op.URL, "sub": "0000000A000PB2", "aud": "sample", "nonce": asked.Get("nonce"),
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		}
		w.claims(claims)
		write(rw, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": w.sign(claims)})
	})
	mux.HandleFunc("GET /userinfo", func(rw http.ResponseWriter, _ *http.Request) { write(rw, w.userinfo) })
	mux.HandleFunc("POST /logout", func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.signedOut = r.PostForm
		http.Redirect(rw, r, r.PostForm.Get("post_logout_redirect_uri"), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /api/v1/profile", func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer a" || w.cabinet != http.StatusOK {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		write(rw, map[string]any{"state": "activated"})
	})

	es := httptest.NewUnstartedServer(nil)
	w.url = "http://" + es.Listener.Addr().String()
	s := newService(Config{
		Issuer: op.URL, CabinetURL: op.URL, URL: w.url, ClientID: "sample", ClientSecret: "s", Scope: "openid",
	}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	es.Config.Handler = s.routes()
	es.Start()
	t.Cleanup(es.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.browser = &http.Client{Jar: jar}
	return w
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

type page struct {
	status int
	body   string
}

// follow asks and walks all redirects, as a browser does.
func (w *world) follow(method, path string, form url.Values) page {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := w.browser.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return page{answer.StatusCode, string(body)}
}

func (w *world) get(path string, status int) string {
	w.t.Helper()
	p := w.follow(http.MethodGet, path, nil)
	if p.status != status {
		w.t.Fatalf("GET %s: got %d, want %d\n%s", path, p.status, status, p.body)
	}
	return p.body
}
