package provider_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"asoba.example/provider"
	"asoba.example/provider/clients"
)

// profile gives the names of the claims about the person among others.
func profile(claims map[string]any) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(claims)), func(name string) bool {
		return !slices.Contains([]string{"name", "phone_number", "phone_number_verified", "email"}, name)
	})
}

// A claim that is asked for by name is told where it was asked for, and by itself: not with what else its scope gives. It stays so for as long
// as the grant (OpenID Connect Core §5.5).
func TestAClaimIsToldWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	const asked = `{"userinfo":{"name":{"essential":true},"nickname":null},"id_token":{"phone_number":null,"auth_time":{"essential":true}},"other":{}}`
	tokens := w.redeem("portal", b.code("portal", "claims", asked, "scope", "openid offline_access"))
	check := func(tokens answer) {
		t.Helper()
		if got := w.userinfo(tokens.text("access_token")).body; !slices.Equal(profile(got), []string{"name"}) || got["name"] != "Anna" {
			t.Errorf("UserInfo tells %v", got)
		}
		_, id := w.claims(tokens.text("id_token"))
		if !slices.Equal(profile(id), []string{"phone_number"}) || id["sub"] != identifier || id["auth_time"] == nil {
			t.Errorf("the ID token tells %v", id)
		}
		if tokens.text("scope") != "openid offline_access" {
			t.Errorf("got the scope %q", tokens.text("scope"))
		}
	}
	check(tokens)
	w.trips.Take()
	tokens = w.refresh("portal", tokens.text("refresh_token"))
	if n := w.trips.Take(); n != 2 {
		t.Errorf("a refresh took %d trips to PostgreSQL, want 2", n)
	}
	check(tokens)

	// Beside what scopes give; by any way a request may come.
	tokens = w.redeem("portal", b.code("portal", "claims", `{"userinfo":{"name":null}}`, "scope", "openid phone"))
	if got := w.userinfo(tokens.text("access_token")).body; len(profile(got)) != 3 {
		t.Errorf("UserInfo tells %v", got)
	}
	object := w.object(object{client: "signing", changes: map[string]any{
		"claims": map[string]any{"userinfo": map[string]any{"phone_number": nil, "name": nil}}, // it is not registered for the name
	}})
	pushed := url.Values{"client_id": {"signing"}, "request_uri": {w.push("signing", url.Values{"request": {object}}).text("request_uri")}}
	_, answer := b.authorizeBy(pushed)
	tokens = w.redeem("signing", answer.Get("code"))
	if got := w.userinfo(tokens.text("access_token")).body; !slices.Equal(profile(got), []string{"phone_number"}) {
		t.Errorf("UserInfo tells %v", got)
	}
}

// Nobody's claims are told unless the person was asked about them: a claim is agreed to with its scope.
func TestAClaimIsAgreedToWithItsScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	to, _, _ := b.get("/authorize?" + params("service", "claims", `{"id_token":{"name":null},"userinfo":{"citizenship":null}}`).Encode())
	if !strings.HasPrefix(to, "/consent?") {
		t.Fatalf("led to %q", to)
	}
	i := w.waiting(b, to)
	if got, want := i.Asks(), []string{"openid", "profile", "citizenship"}; !slices.Equal(got, want) {
		t.Errorf("the page asks about %v, want %v", got, want)
	}
	// Whoever agrees to less than was asked gives less.
	w.pageLearns(i, func(i *provider.Interaction) { i.Agreed = []string{"openid", "citizenship"} })
	w.agree("service")
	answer := must(url.Parse(b.follow(i.Continue()))).Query()
	if _, id := w.claims(w.redeem("service", answer.Get("code")).text("id_token")); len(profile(id)) != 0 {
		t.Errorf("the ID token tells %v", id)
	}
}

// acr may be asked for as a claim: a level that there is, is met; that none there is would do is said when that is essential (OpenID Connect Core
// §5.5.1.1; OpenID Connect Core Error Code unmet_authentication_requirements 1.0).
func TestTheLevelMayBeAskedForAsAClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	for claims, want := range map[string]string{
		`{"id_token":{"acr":{"essential":true,"values":["substantial","phr"]}}}`: "substantial",
		`{"id_token":{"acr":{"essential":true,"value":"low"}}}`:                  "substantial", // more than was asked
		`{"id_token":{"acr":{"values":["phr"]}}}`:                                "substantial",
		`{"id_token":{"acr":{"essential":true}}}`:                                "substantial",
		`{"id_token":{"acr":{"essential":true,"values":["phr"]}}}`:               "",
		`{"id_token":{"acr":{"essential":true,"value":"LOW"}}}`:                  "",
	} {
		b := w.browser()
		b.code("portal", "acr_values", "substantial")
		got := b.authorize(params("portal", "claims", claims))
		if want == "" {
			if got.Get("error") != "unmet_authentication_requirements" || got.Get("state") != "st" {
				t.Errorf("%s: got %v", claims, got)
			}
			continue
		}
		if _, id := w.claims(w.redeem("portal", got.Get("code")).text("id_token")); id["acr"] != want {
			t.Errorf("%s: got acr %v, want %s", claims, id["acr"], want)
		}
	}
	essential := `{"id_token":{"acr":{"essential":true,"value":"substantial"}}}`
	if got := b.authorize(params("portal", "claims", essential, "acr_values", "low", "prompt", "none")); got.Get("error") != "login_required" {
		t.Errorf("got %v, want a weaker sign-in not taken for it", got)
	}
	if _, id := w.claims(w.redeem("portal", b.code("portal", "claims", essential, "acr_values", "low")).text("id_token")); id["acr"] != "substantial" {
		t.Errorf("got acr %v", id["acr"])
	}
}

// sub asked for by its value is who must be there: anybody else is an error, and whom it names is not kept (OpenID Connect Core §3.1.2.2, §5.5.1).
func TestASubjectMayBeAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	mine := `{"id_token":{"sub":{"value":"` + identifier + `"}}}`
	if got := b.authorize(params("portal", "claims", mine, "prompt", "none")); !got.Has("code") {
		t.Errorf("got %v", got)
	}
	if got := b.authorize(params("portal", "claims", `{"userinfo":{"sub":{"value":"4080356A001PB1"}}}`)); got.Get("error") != "login_required" {
		t.Errorf("got %v, want login_required for somebody else", got)
	}
	if got := b.authorize(params("portal", "claims", `{"id_token":{"sub":{"values":["a","b"]}}}`)); got.Get("error") != "invalid_request" {
		t.Errorf("got %v, want two people refused", got)
	}
	w.browser().get("/authorize?" + params("portal", "claims", mine).Encode())
	w.push("portal", params("portal", "claims", mine))
	w.nobodyIsKept()
}

// A login_hint would be the person's identifier, which belongs in no address: it is taken for nothing, and nothing of it is kept, shown or
// sent on (OpenID Connect Core §3.1.2.1 leaves its use to us). So are display and claims_locales.
func TestALoginHintIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	values := params("portal", "login_hint", identifier, "display", "touch", "claims_locales", "be ru")
	to, status, body := b.get("/authorize?" + values.Encode())
	if !strings.HasPrefix(to, "/sign-in?") || strings.Contains(to+body, identifier) {
		t.Errorf("got %d, leading to %q", status, to)
	}
	if to = b.follow(to); !strings.Contains(to, "code=") || strings.Contains(to, identifier) {
		t.Errorf("led to %q", to)
	}
	w.browser().get("/authorize?" + values.Encode())
	w.push("portal", values)
	w.nobodyIsKept()
}

// nobodyIsKept holds that nothing that waits names the person.
func (w *world) nobodyIsKept() {
	w.t.Helper()
	kept := 0
	for _, key := range w.redis.Keys(w.t.Context(), "*").Val() {
		if strings.HasPrefix(key, "interaction:") || strings.HasPrefix(key, "pushed:") {
			kept++
			if strings.Contains(w.redis.Get(w.t.Context(), key).Val(), identifier) {
				w.t.Errorf("%s names the person", key)
			}
		}
	}
	if kept == 0 {
		w.t.Error("nothing waits")
	}
}

// What is not JSON of that form, or too long, is refused whole (OpenID Connect Core §5.5).
func TestClaimsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, claims := range []string{
		`name`, `[]`, `"{}"`, `{"userinfo":[]}`, `{"userinfo":{"name":true}}`, `{"id_token":{"acr":{"values":"low"}}}`, `{"userinfo":{}}{}`,
		`{"userinfo":{"name":null},"userinfo":{}}`, `{"userinfo":{"` + strings.Repeat("n", 2048) + `":null}}`,
	} {
		to, status, _ := w.browser().get("/authorize?" + params("portal", "claims", claims).Encode())
		if answer := must(url.Parse(to)).Query(); status != http.StatusSeeOther || answer.Get("error") != "invalid_request" {
			t.Errorf("%.40s: got %d, leading to %q", claims, status, to)
		}
	}
}

// What an operator has taken from a client it is told no more, though it asked for it by name and before.
func TestAClaimEndsWithTheClientsScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := clients.Metadata{
		RedirectURIs: []string{callback}, GrantTypes: []string{"authorization_code", "refresh_token"}, FirstParty: true,
		Scope: "openid phone offline_access",
	}
	w.add("narrowed", m)
	code := w.browser().authorize(params("narrowed", "scope", "openid offline_access", "claims", `{"userinfo":{"phone_number":null}}`)).Get("code")
	tokens := w.redeem("narrowed", code)
	if got := w.userinfo(tokens.text("access_token")); got.body["phone_number"] == nil {
		t.Fatalf("got %v", got.body)
	}
	m.Scope = "openid offline_access"
	if _, _, err := w.registry.Replace(t.Context(), "narrowed", clients.Any, m, clients.By{At: w.now()}); err != nil {
		t.Fatal(err)
	}
	tokens = w.refresh("narrowed", tokens.text("refresh_token"))
	tokens.check(t, http.StatusOK, "")
	if got := w.userinfo(tokens.text("access_token")); got.status != http.StatusOK || got.body["phone_number"] != nil {
		t.Errorf("got %d %v", got.status, got.body)
	}
}
