package provider_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// With a hint of who is signed in a client signs them out and has them back, with its state and nothing else (RP-Initiated Logout §2–3).
func TestLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bye = "https://portal.example/bye"
	for name, row := range map[string]struct {
		post    bool
		changes []string
		want    string
	}{
		"with state":    {false, []string{"state", "a b&c"}, bye + "?state=a+b%26c"},
		"a long state":  {false, []string{"state", strings.Repeat("s", 2048)}, bye + "?state=" + strings.Repeat("s", 2048)},
		"without state": {false, nil, bye},
		"by POST":       {true, []string{"state", "s"}, bye + "?state=s"},
		"expired hint":  {false, []string{"expire", ""}, bye},
	} {
		b := w.browser()
		tokens := w.redeem("portal", b.code("portal"))
		values := url.Values{"id_token_hint": {tokens.text("id_token")}, "post_logout_redirect_uri": {bye}}
		for i := 0; i < len(row.changes); i += 2 {
			if row.changes[i] == "expire" {
				w.pass(time.Hour / 2)
			} else {
				values.Set(row.changes[i], row.changes[i+1])
			}
		}
		ask := func() (string, int, string) { return b.get("/logout?" + values.Encode()) }
		if row.post {
			to, _, _ := b.post("/logout", values)
			if strings.Contains(to, "eyJ") {
				t.Errorf("%s: the hint stands in an address of ours", name)
			}
			ask = func() (string, int, string) { return b.get(to) }
		}
		to, status, _ := ask()
		if to != row.want || status != http.StatusSeeOther {
			t.Errorf("%s: got %d, leading to %q", name, status, to)
		}
		if got := b.authorize(params("portal", "prompt", "none")); got.Get("error") != "login_required" {
			t.Errorf("%s: got %v after the sign-out", name, got)
		}
		if row.changes == nil {
			w.userinfo(tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
		}
		if to, _, _ := b.get("/logout?" + values.Encode()); to != row.want {
			t.Errorf("%s: with nobody signed in it leads to %q", name, to)
		}
	}
}

// A logout_hint is the sid of the client's ID tokens: by that the client signs out whose session it is and has them back, as by an ID token, and holds
// nothing of the person in its hands (RP-Initiated Logout §2).
func TestLogoutByTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pairwise()
	const bye = "https://portal.example/bye"
	for _, client := range []string{"portal", "left"} {
		for _, how := range []string{"GET", "POST", "another session", "nobody"} {
			name := client + ", " + how
			b := w.browser()
			_, claims := w.claims(w.redeem(client, b.code(client)).text("id_token"))
			values := url.Values{"client_id": {client}, "logout_hint": {claims["sid"].(string)}, "post_logout_redirect_uri": {bye}, "state": {"s"}}
			to := "/logout?" + values.Encode()
			known := client == "portal" // also by a session that is not here: of a pairwise client's we know no other
			switch how {
			case "POST":
				to, _, _ = b.post("/logout", values)
				known = true
			case "another session": // of the same person
				b = w.browser()
				b.code(client)
			case "nobody":
				b = w.browser()
			default:
				known = true
			}
			to, status, body := b.get(to)
			if leads := to == bye+"?state=s" && status == http.StatusSeeOther; leads != known || !known && (to != "" || status != http.StatusOK) {
				t.Errorf("%s: got %d, leading to %q\n%s", name, status, to, body)
			}
			if got := b.authorize(params(client, "prompt", "none")); got.Has("code") == (known || how == "nobody") {
				t.Errorf("%s: got %v after it", name, got)
			}
		}
	}
}

// What is not registered, or not the client's word, leads nowhere; and without a hint the person is asked, by a form that no other site
// can fill in (RP-Initiated Logout §2, §6).
func TestLogoutThatIsNotSure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bye = "https://portal.example/bye"
	b := w.browser()
	tokens := w.redeem("portal", b.code("portal"))
	stillIn := func(name string) {
		t.Helper()
		if got := b.authorize(params("portal", "prompt", "none")); !got.Has("code") {
			t.Errorf("%s: signed out: %v", name, got)
		}
	}
	hint := tokens.text("id_token")
	_, claims := w.claims(hint)
	sid := claims["sid"].(string)
	for name, values := range map[string]url.Values{
		"an address that is not registered": {"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example"}},
		"a query added":                     {"id_token_hint": {hint}, "post_logout_redirect_uri": {bye + "?x=y"}},
		"an access token for a hint":        {"id_token_hint": {tokens.text("access_token")}, "post_logout_redirect_uri": {bye}},
		"a hint that is forged":             {"id_token_hint": {hint[:len(hint)-4] + "AAAA"}, "post_logout_redirect_uri": {bye}},
		"an unsigned hint":                  {"id_token_hint": {"eyJhbGciOiJub25lIn0.e30."}},
		"another client":                    {"id_token_hint": {hint}, "client_id": {"service"}},
		"a parameter twice":                 {"state": {"a", "b"}},
		"an address, by the session":        {"client_id": {"portal"}, "logout_hint": {sid}, "post_logout_redirect_uri": {"https://evil.example"}},
		"a state that would be cut":         {"id_token_hint": {hint}, "post_logout_redirect_uri": {bye}, "state": {strings.Repeat("s", 2049)}},
	} {
		to, status, body := b.get("/logout?" + values.Encode())
		if to != "" || status != http.StatusBadRequest || !strings.Contains(body, `href="/logout"`) {
			t.Errorf("%s: got %d, leading to %q, want a page that leads to a sign-out of one's own", name, status, to)
		}
		stillIn(name)
	}
	for name, values := range map[string]url.Values{
		"no parameters": {}, "only state": {"state": {"s"}},
		"an address without a hint":   {"client_id": {"portal"}, "post_logout_redirect_uri": {bye}},
		"a session that there is not": {"client_id": {"portal"}, "logout_hint": {sid + "x"}, "post_logout_redirect_uri": {bye}},
		"a client that took no part":  {"client_id": {"relaxed"}, "logout_hint": {sid}},
		"a client that there is not":  {"client_id": {"nobody"}, "logout_hint": {sid}, "post_logout_redirect_uri": {bye}},
		"a session without a client":  {"logout_hint": {sid}, "post_logout_redirect_uri": {bye}},
		"a subject":                   {"client_id": {"portal"}, "logout_hint": {identifier}, "post_logout_redirect_uri": {bye}},
		"a session of no such form":   {"client_id": {"portal"}, "logout_hint": {sid + "\x00"}}, "a session that is no text": {"client_id": {"portal"}, "logout_hint": {"\xff"}},
	} {
		to, status, body := b.get("/logout?" + values.Encode())
		if to != "" || status != http.StatusOK || !strings.Contains(body, `value="logout"`) {
			t.Errorf("%s: got %d, leading to %q", name, status, to)
		}
		stillIn(name)
	}

	to, status, _ := b.post("/logout", url.Values{}) // without a body
	if !strings.HasPrefix(to, "/logout?interaction=") || status != http.StatusSeeOther {
		t.Fatalf("a POST of nothing: got %d, leading to %q", status, to)
	}
	if to, status, body := b.get(to); to != "" || status != http.StatusOK || !strings.Contains(body, `value="logout"`) {
		t.Errorf("a POST of nothing: got %d, leading to %q", status, to)
	}
	stillIn("a POST of nothing")

	_, _, body := b.get("/logout")
	_, rest, _ := strings.Cut(body, `name="interaction" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	decision := url.Values{"decision": {"logout"}, "interaction": {id}}
	foreign := w.request("/logout/decision", decision)
	foreign.Header.Set("Origin", "https://evil.example")
	if _, status, _ := b.send(foreign); status != http.StatusForbidden {
		t.Errorf("another site's form: got %d", status)
	}
	stillIn("another site's form")
	b.post("/logout/decision", url.Values{"decision": {"stay"}, "interaction": {id}})
	stillIn("stay")
	kept := w.request("/logout/decision", decision).URL
	cookieless := w.request("/logout/decision", decision)
	cookieless.Header.Set("Accept-Language", "en")
	if _, status, body := (&browser{w, new(http.Client)}).send(cookieless); status != http.StatusBadRequest || !strings.Contains(body, "Allow cookies") {
		t.Errorf("a browser that keeps no cookies: got %d\n%s", status, body)
	}
	b.client.Jar.SetCookies(kept, []*http.Cookie{{Name: "idp_answer_0", Value: "kept", Path: "/"}})
	to, status, body = b.post("/logout/decision", decision)
	if to != "" || status != http.StatusOK {
		t.Errorf("got %d, leading to %q", status, to)
	}
	if strings.Contains(body, "language=") { // nobody opens a decision by a link
		t.Error("the page has the language switch")
	}
	if slices.ContainsFunc(b.client.Jar.Cookies(kept), func(c *http.Cookie) bool { return c.Name == "idp_answer_0" }) {
		t.Error("what is kept of an answer to a form is there for who comes next")
	}
	if got := b.authorize(params("portal", "prompt", "none")); got.Get("error") != "login_required" {
		t.Errorf("got %v after the sign-out", got)
	}
}

// A hint of somebody else signs nobody out: the person here is asked, and what they answer leads back to the client (RP-Initiated Logout §2).
func TestAHintOfSomebodyElseIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bye = "https://portal.example/bye"
	hint := w.redeem("portal", w.browser().code("portal")).text("id_token")
	w.person = uuid.Must(uuid.NewV7())
	w.exec(`INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, '1010130K001PB9', 'F', '1930-01-01', 'BY', 1)`, w.person)
	w.exec(`INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at) VALUES ($1, 'active', '\x00', '\x01', now(), now())`, w.person)
	b := w.browser()
	b.code("portal")
	to, status, body := b.get("/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {bye}, "state": {"s"}}.Encode())
	if to != "" || status != http.StatusOK {
		t.Fatalf("got %d, leading to %q", status, to)
	}
	if got := b.authorize(params("portal", "prompt", "none")); !got.Has("code") {
		t.Errorf("signed out: %v", got)
	}
	if to, _, _ := b.post("/logout/decision", url.Values{"decision": {"logout"}, "interaction": {waiting(body)}}); to != bye+"?state=s" {
		t.Errorf("led to %q", to)
	}
}

// Where the session of a logout_hint is none of the client's, nobody is led to it: not who is not signed in, nor who is and signs out, for anybody may have
// sent them there.
func TestALogoutHintOfNoSessionOfTheClientsLeadsNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bye = "https://portal.example/bye"
	away := w.browser()
	_, claims := w.claims(w.redeem("relaxed", away.code("relaxed")).text("id_token"))
	ask := "/logout?" + url.Values{"client_id": {"portal"}, "logout_hint": {claims["sid"].(string)}, "post_logout_redirect_uri": {bye}}.Encode()
	if to, status, _ := w.browser().get(ask); to != "" || status != http.StatusOK {
		t.Errorf("with nobody signed in: got %d, leading to %q", status, to)
	}
	_, _, body := away.get(ask)
	to, status, body := away.post("/logout/decision", url.Values{"decision": {"logout"}, "interaction": {waiting(body)}})
	if to != "" || status != http.StatusOK || strings.Contains(body, bye) {
		t.Errorf("who signs out: got %d, leading to %q\n%s", status, to, body)
	}
	// Somebody else's leads back, once they have said so, as by an ID token.
	_, claims = w.claims(w.redeem("portal", w.browser().code("portal")).text("id_token"))
	w.person = uuid.Must(uuid.NewV7())
	w.exec(`INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, '1010130K001PB9', 'F', '1930-01-01', 'BY', 1)`, w.person)
	w.exec(`INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at) VALUES ($1, 'active', '\x00', '\x01', now(), now())`, w.person)
	other := w.browser()
	other.code("portal")
	_, status, body = other.get("/logout?" + url.Values{"client_id": {"portal"}, "logout_hint": {claims["sid"].(string)}, "post_logout_redirect_uri": {bye}}.Encode())
	if got := other.authorize(params("portal", "prompt", "none")); status != http.StatusOK || !got.Has("code") {
		t.Errorf("somebody else: got %d, and then %v", status, got)
	}
	if to, _, _ := other.post("/logout/decision", url.Values{"decision": {"logout"}, "interaction": {waiting(body)}}); to != bye {
		t.Errorf("somebody else, who says so: led to %q", to)
	}
}

// Who presses "sign out" at a client a second time, or where they have signed out at the provider meanwhile, comes back to it all the same. But whoever is
// signed in by then is asked first.
func TestALogoutHintOfASessionThatIsOverLeadsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bye = "https://portal.example/bye"
	b := w.browser()
	_, claims := w.claims(w.redeem("portal", b.code("portal")).text("id_token"))
	ask := "/logout?" + url.Values{"client_id": {"portal"}, "logout_hint": {claims["sid"].(string)}, "post_logout_redirect_uri": {bye}}.Encode()
	for range 2 {
		if to, status, body := b.get(ask); to != bye {
			t.Fatalf("got %d, leading to %q\n%s", status, to, body)
		}
	}
	b.code("portal") // signed in anew
	to, _, body := b.get(ask)
	if got := b.authorize(params("portal", "prompt", "none")); to != "" || !got.Has("code") {
		t.Errorf("signed out without being asked: %q, %v", to, got)
	}
	if to, _, _ := b.post("/logout/decision", url.Values{"decision": {"logout"}, "interaction": {waiting(body)}}); to != bye {
		t.Errorf("who says so is led to %q", to)
	}
}

// waiting is the interaction that a page's form carries on.
func waiting(body string) string {
	_, rest, _ := strings.Cut(body, `name="interaction" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// Every client that took part in the session is told of its end, however long ago what it was given was over, and whichever button was
// pressed; who took part in another session is not (Back-Channel Logout §2.3).
func TestEveryClientOfASessionIsToldOfItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, client := range []string{"tax", "health", "archive", "portal"} {
		w.redeem(client, b.code(client))
	}
	elsewhere := w.redeem("tax", w.browser().code("tax"))
	w.pass(11 * time.Hour) // what was given was for five minutes
	_, _, body := b.get("/logout")
	if _, status, _ := b.post("/logout/decision", url.Values{"decision": {"logout"}, "interaction": {waiting(body)}}); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	if got := b.authorize(params("portal", "prompt", "none")); got.Get("error") != "login_required" {
		t.Errorf("got %v after the sign-out", got)
	}
	_, claims := w.claims(elsewhere.text("id_token"))
	rows, _ := w.pool.Query(t.Context(), `SELECT client_id, sid = $1 FROM logout_notice ORDER BY 1`, claims["sid"])
	type notice struct {
		Client   string
		OfOthers bool
	}
	told := must(pgx.CollectRows(rows, pgx.RowToStructByPos[notice]))
	if want := []notice{{"archive", false}, {"health", false}, {"tax", false}}; !slices.Equal(told, want) {
		t.Errorf("told: %v, want %v", told, want)
	}
}

// The page of a sign-out loads the registered addresses, each with issuer and session and nothing else, and may load no others; it goes on to
// the client by itself, or by a button where no scripts run (Front-Channel Logout §2, §3).
func TestASignOutIsToldInFrames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bye = "https://portal.example/bye"
	for name, row := range map[string]struct {
		visited []string
		leads   bool
		frames  []string // as they are registered
		sources string
	}{
		"and goes on": {
			[]string{"tax", "health", "archive"},
			true,
			[]string{"https://health.example/out?", "https://tax.example:8443/out?from=idp&"},
			"frame-src https://health.example https://tax.example:8443;",
		},
		"and stays": {[]string{"tax"}, false, []string{"https://tax.example:8443/out?from=idp&"}, "frame-src https://tax.example:8443"},
	} {
		b := w.browser()
		tokens := w.redeem("portal", b.code("portal"))
		for _, client := range row.visited {
			w.redeem(client, b.code(client))
		}
		values := url.Values{"id_token_hint": {tokens.text("id_token")}, "state": {"a b"}}
		if row.leads {
			values.Set("post_logout_redirect_uri", bye)
		}
		response := must(b.client.Do(must(http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+"/logout?"+values.Encode(), nil))))
		body := string(must(io.ReadAll(response.Body)))
		response.Body.Close()
		_, claims := w.claims(tokens.text("id_token"))
		want := url.Values{"iss": {w.issuer}, "sid": {claims["sid"].(string)}}.Encode()
		for i := range row.frames {
			row.frames[i] += want
		}
		var frames []string
		for _, found := range regexp.MustCompile(`<iframe src="([^"]*)" sandbox="allow-scripts allow-same-origin" hidden>`).FindAllStringSubmatch(body, -1) {
			frames = append(frames, html.UnescapeString(found[1]))
		}
		if !slices.Equal(frames, row.frames) || response.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d, frames %q, want %q", name, response.StatusCode, frames, row.frames)
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy+";", row.sources) {
			t.Errorf("%s: the policy is %s", name, policy)
		}
		button := strings.Contains(html.UnescapeString(body), `href="`+bye+`?state=a+b" role="button" data-continue`)
		script := regexp.MustCompile(`<script src="/static/signed-out\.`).MatchString(body)
		if button != row.leads || script != row.leads {
			t.Errorf("%s: has a button %t and a script %t", name, button, script)
		}
		if got := b.authorize(params("portal", "prompt", "none")); got.Get("error") != "login_required" {
			t.Errorf("%s: got %v after the sign-out", name, got)
		}
	}
}

// A code gives nothing once the session that it came from was signed out of; one of a later session does.
func TestACodeIsWorthNothingAfterTheSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	hint := w.redeem("portal", b.code("portal")).text("id_token")
	code, offline := b.code("portal"), b.code("portal", "scope", "openid offline_access")
	if _, status, _ := b.get("/logout?" + url.Values{"id_token_hint": {hint}}.Encode()); status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	w.redeem("portal", code).check(t, http.StatusBadRequest, "invalid_grant")
	w.redeem("portal", offline).check(t, http.StatusBadRequest, "invalid_grant")
	w.redeem("portal", b.code("portal")).check(t, http.StatusOK, "")
}

// A sign-out that cannot be written down signs nobody out, and is no success; once it can, it is done (Back-Channel Logout §2.3).
func TestASignOutLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	tokens := w.redeem("tax", b.code("tax"))
	ask := "/logout?" + url.Values{"id_token_hint": {tokens.text("id_token")}}.Encode()
	heal := pgtest.FailOn(t, w.pool, "INSERT", "logout_notice")
	if _, status, _ := b.get(ask); status != http.StatusInternalServerError {
		t.Errorf("got %d", status)
	}
	w.userinfo(tokens.text("access_token")).check(t, http.StatusOK, "")
	if got := b.authorize(params("portal", "prompt", "none")); !got.Has("code") {
		t.Errorf("signed out: %v", got)
	}
	heal()
	if _, status, _ := b.get(ask); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	w.userinfo(tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
}
