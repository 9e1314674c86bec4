package provider_test

import (
	"context"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"asoba.example/provider/backchannel"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
)

const bye = "https://portal.example/bye"

// The plan oidcc-rp-initiated-logout-certification-test-plan.
var logoutByRP = plan[party]{
	"oidcc-rp-initiated-logout-discovery-endpoint-verification": func(p party) {
		if got := p.w.discovered()["end_session_endpoint"]; got != p.w.issuer+"/logout" {
			p.w.t.Errorf("got %v", got)
		}
	},
	"oidcc-rp-initiated-logout": func(p party) {
		state := strings.Repeat("0123456789abcdef", 8)
		p.leaves(bye+"?state="+state, "post_logout_redirect_uri", bye, "state", state)
	},
	"oidcc-rp-initiated-logout-no-state": func(p party) { p.leaves(bye, "post_logout_redirect_uri", bye) },
	"oidcc-rp-initiated-logout-no-post-logout-redirect-uri": func(p party) {
		p.leaves("", "state", "st")
	},
	"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": func(p party) {
		p.stays(http.StatusBadRequest, "post_logout_redirect_uri", "https://portal.example/elsewhere")
	},
	"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": func(p party) {
		p.stays(http.StatusBadRequest, "post_logout_redirect_uri", bye+"?foo=bar")
	},
	"oidcc-rp-initiated-logout-modified-id-token-hint": func(p party) {
		hint := strings.Split(p.signsIn().tokens.text("id_token"), ".")
		p.stays(http.StatusBadRequest, "post_logout_redirect_uri", bye, "id_token_hint", hint[0]+"."+hint[1]+"."+strings.Repeat("A", len(hint[2])))
	},
	"oidcc-rp-initiated-logout-bad-id-token-hint": func(p party) { // signed, but by somebody else
		p.stays(http.StatusBadRequest, "post_logout_redirect_uri", bye, "id_token_hint", p.w.assertion(nil))
	},
	"oidcc-rp-initiated-logout-no-id-token-hint": func(p party) {
		p.isAsked("client_id", p.id, "post_logout_redirect_uri", bye, "state", "st")
	},
	"oidcc-rp-initiated-logout-no-params":  func(p party) { p.isAsked() },
	"oidcc-rp-initiated-logout-only-state": func(p party) { p.isAsked("state", "st") },
}

// The plans of one or two modules: oidcc-config-, oidcc-backchannel-rp-initiated-logout-, oidcc-frontchannel-rp-initiated-logout- and
// oidcc-3rdparty-init-login-certification-test-plan.
var apart = plan[party]{
	"oidcc-discovery-endpoint-verification": discoveryIsWhole,

	"oidcc-backchannel-logout-discovery-endpoint-verification": func(p party) {
		p.offers("backchannel_logout_supported", "backchannel_logout_session_supported")
	},
	"oidcc-backchannel-rp-initiated-logout": backchannelLogout,

	"oidcc-frontchannel-logout-discovery-endpoint-verification": func(p party) {
		p.offers("frontchannel_logout_supported", "frontchannel_logout_session_supported")
	},
	"oidcc-frontchannel-rp-initiated-logout": frontchannelLogout,

	"oidcc-3rd_party-init-login": func(p party) {
		uri := "https://portal.example/begin"
		made := p.w.json(http.MethodPost, p.w.issuer+"/register", p.w.initial("openid", 1), initiating(uri))
		read := p.w.json(http.MethodGet, made.text("registration_client_uri"), made.text("registration_access_token"), "")
		if made.status != http.StatusCreated || made.text("initiate_login_uri") != uri || read.text("initiate_login_uri") != uri {
			p.w.t.Errorf("got %v, and then %v", made.body, read.body)
		}
	},
	"oidcc-3rd_party-init-login-nohttps": func(p party) {
		made := p.w.json(http.MethodPost, p.w.issuer+"/register", p.w.initial("openid", 1), initiating("http://portal.example/begin"))
		made.check(p.w.t, http.StatusBadRequest, "invalid_client_metadata")
	},
}

func initiating(uri string) string {
	return `{"redirect_uris":["` + callback + `"],"initiate_login_uri":"` + uri + `"}`
}

// RP-Initiated Logout OP.
func TestRPInitiatedLogoutOP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	certify(w, logoutByRP, func() party { return party{w: w, b: w.browser(), id: "portal", pkce: true} })
}

// Config OP, Back-Channel and Front-Channel Logout OP, Third-Party-Initiated Login OP.
func TestConfigOPAndOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	certify(w, apart, func() party { return party{w: w, b: w.browser(), id: "portal", pkce: true} })
}

// logout sends the browser to sign out, and gives where that leads.
func (p party) logout(parameters ...string) (to string, status int, body string) {
	p.w.t.Helper()
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return p.b.get("/logout?" + values.Encode())
}

// leaves signs out with a hint of the sign-in, and is led there ("": nowhere; the page says that it is done).
func (p party) leaves(want string, parameters ...string) {
	p.w.t.Helper()
	v := p.signsIn()
	to, status, body := p.logout(append(parameters, "id_token_hint", v.tokens.text("id_token"))...)
	if to != want || want == "" && (status != http.StatusOK || strings.Contains(body, `value="logout"`)) {
		p.w.t.Errorf("got %d, leading to %q, want %q", status, to, want)
	}
	p.refused("login_required", "prompt", "none")
}

// stays asks for a sign-out that is not to be had, and sees a page that says so.
func (p party) stays(want int, parameters ...string) {
	p.w.t.Helper()
	v := p.signsIn()
	to, status, body := p.logout(append([]string{"state", "st", "id_token_hint", v.tokens.text("id_token")}, parameters...)...)
	if to != "" || status != want || !strings.Contains(body, "<html") {
		p.w.t.Errorf("got %d, leading to %q", status, to)
	}
	p.sameSignIn(v, "prompt", "none")
}

// isAsked has the person asked whether to sign out, and after a yes shown that it is done, or led to where the client is registered.
func (p party) isAsked(parameters ...string) {
	p.w.t.Helper()
	v := p.signsIn()
	to, status, body := p.logout(parameters...)
	if to != "" || status != http.StatusOK {
		p.w.t.Fatalf("got %d, leading to %q", status, to)
	}
	p.sameSignIn(v, "prompt", "none")
	to, status, _ = p.b.post("/logout/decision", url.Values{"decision": {"logout"}, "interaction": {waiting(body)}})
	if to != "" || status != http.StatusOK { // without a hint nobody is sent anywhere (RP-Initiated Logout §3)
		p.w.t.Errorf("got %d, leading to %q", status, to)
	}
	p.refused("login_required", "prompt", "none")
}

// offers holds that the provider says so of itself.
func (p party) offers(members ...string) {
	p.w.t.Helper()
	metadata := p.w.discovered()
	for _, name := range members {
		if metadata[name] != true {
			p.w.t.Errorf("%s is %v", name, metadata[name])
		}
	}
}

// backchannelLogout: the logout token is alone in the form, of its own type, and says which session and whose (Back-Channel Logout §2.4–2.6).
func backchannelLogout(p party) {
	w, t := p.w, p.w.t
	var told []url.Values
	rp := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		told = append(told, r.PostForm)
	}))
	defer rp.Close()
	w.add("told", clients.Metadata{RedirectURIs: []string{callback}, Scope: "openid", FirstParty: true, BackchannelLogoutURI: rp.URL})
	p.id = "told"
	v := p.signsIn()
	p.logout("id_token_hint", v.tokens.text("id_token"))

	deliverer := must(backchannel.NewDeliverer(backchannel.Config{
		Pool: w.pool, Clients: w.registry, Keys: w.ring, Issuer: w.issuer, Caller: fetch.New(fetch.Config{AllowLoopback: true}),
		Subject: func(_ context.Context, _ *clients.Client, _ uuid.UUID, sid string) (string, string, error) {
			return identifier, sid, nil
		},
		Metrics: prometheus.NewRegistry(), Now: w.now, Log: w.logger(),
	}))
	var notice int64
	if err := w.pool.QueryRow(t.Context(), `SELECT id FROM logout_notice WHERE client_id = 'told'`).Scan(&notice); err != nil {
		t.Fatal(err)
	}
	if err := deliverer.Work(t.Context(), &river.Job[backchannel.Delivery]{Args: backchannel.Delivery{ID: notice}}); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || len(told[0]) != 1 {
		t.Fatalf("told %v", told)
	}
	typ, claims := w.claims(told[0].Get("logout_token"))
	events, _ := claims["events"].(map[string]any)
	event, _ := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	want := []string{"aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"} // and no nonce
	if typ != "logout+jwt" || !slices.Equal(slices.Sorted(maps.Keys(claims)), want) || claims["iss"] != w.issuer || claims["aud"] != "told" ||
		claims["sid"] != v.id["sid"] || claims["sub"] != v.id["sub"] || len(events) != 1 || event == nil || len(event) != 0 {
		t.Errorf("got %s %v", typ, claims)
	}
}

// frontchannelLogout: the page that says that it is done loads the registered address, with issuer and session (Front-Channel Logout §2–3).
func frontchannelLogout(p party) {
	p.w.add("framed", clients.Metadata{
		RedirectURIs: []string{callback}, Scope: "openid", FirstParty: true,
		PostLogoutRedirectURIs: []string{bye}, FrontchannelLogoutURI: "https://portal.example/out",
	})
	p.id = "framed"
	v := p.signsIn()
	_, status, body := p.logout("id_token_hint", v.tokens.text("id_token"), "post_logout_redirect_uri", bye, "state", "st")
	found := regexp.MustCompile(`<iframe src="([^"]*)"`).FindStringSubmatch(body)
	want := "https://portal.example/out?" + url.Values{"iss": {p.w.issuer}, "sid": {v.id["sid"].(string)}}.Encode()
	if status != http.StatusOK || len(found) != 2 || html.UnescapeString(found[1]) != want || !strings.Contains(body, `href="`+bye+`?state=st"`) {
		p.w.t.Errorf("got %d, the frame %v, want %s", status, found, want)
	}
	p.refused("login_required", "prompt", "none")
}
