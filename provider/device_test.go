package provider_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"asoba.example/provider/clients"
)

const deviceCode = "urn:ietf:params:oauth:grant-type:device_code"

// askDevice asks as a device for tokens of a scope.
func (w *world) askDevice(client, scope string) answer {
	w.t.Helper()
	return w.call("/device_authorization", client, url.Values{"scope": {scope}})
}

// poll asks as a device whether the person has answered.
func (w *world) poll(client string, asked answer) answer {
	w.t.Helper()
	return w.call("/token", client, url.Values{"grant_type": {deviceCode}, "device_code": {asked.text("device_code")}})
}

// connect types a code in and goes as far as the page that asks whether the device is the person's. It gives that page's form.
func (b *browser) connect(userCode string) (action string, form url.Values) {
	b.w.t.Helper()
	to, status, body := b.post("/device", url.Values{"user_code": {userCode}})
	for range 5 {
		if to == "" {
			break
		}
		to, status, body = b.get(to)
	}
	found := regexp.MustCompile(`action="(/device/decision[^"]*)">\s*<input type="hidden" name="sid" value="([^"]+)"`).FindStringSubmatch(body)
	if found == nil {
		b.w.t.Fatalf("no page that asks whose device it is: %d %s", status, body)
	}
	return found[1], url.Values{"sid": {found[2]}}
}

// approve connects a device and goes through all pages.
func (b *browser) approve(asked answer) (at string) {
	b.w.t.Helper()
	action, form := b.connect(asked.text("user_code"))
	form.Set("decision", "allow")
	to, _, _ := b.post(action, form)
	return b.until(to)
}

// until follows redirects until a page is shown, and gives its address.
func (b *browser) until(to string) string {
	b.w.t.Helper()
	for range 10 {
		next, _, _ := b.get(to)
		if next == "" {
			return to
		}
		to = next
	}
	b.w.t.Fatal("led in circles")
	return ""
}

// A device gets tokens once the person has typed its code, signed in, said that it is theirs, and agreed (RFC 8628 §3).
func TestADeviceIsApprovedAtABrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.askDevice("tv", "openid phone cabinet.profile.read offline_access")
	asked.check(t, http.StatusOK, "")
	code := asked.text("user_code")
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(code) ||
		asked.text("verification_uri") != w.issuer+"/device" || asked.text("verification_uri_complete") != w.issuer+"/device?user_code="+code ||
		asked.body["expires_in"] != 600.0 || asked.body["interval"] != 5.0 || asked.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", asked.body)
	}
	w.poll("tv", asked).check(t, http.StatusBadRequest, "authorization_pending")

	b := w.browser()
	if _, _, body := b.get("/device?user_code=" + strings.ToLower(code)); !strings.Contains(body, `value="`+code+`"`) || !strings.Contains(body, `autocomplete="off"`) {
		t.Errorf("the page does not have the code to be compared: %s", body)
	}
	if got := b.approve(asked); got != "/device?connected" {
		t.Errorf("led to %s", got)
	}
	w.pass(5 * time.Second)
	tokens := w.poll("tv", asked)
	tokens.check(t, http.StatusOK, "")
	if tokens.text("scope") != "openid phone cabinet.profile.read offline_access" || tokens.text("id_token") == "" {
		t.Errorf("got %v", tokens.body)
	}
	if got := w.userinfo(tokens.text("access_token")); got.text("sub") != identifier || got.body["phone_number"] == nil {
		t.Errorf("UserInfo: got %v", got.body)
	}
	w.refresh("tv", tokens.text("refresh_token")).check(t, http.StatusOK, "")
	if n := w.count(`event WHERE kind = 'grant.given' AND client_id = 'tv'`); n != 1 {
		t.Errorf("recorded %d times", n)
	}
	if _, status, _ := b.post("/device", url.Values{"user_code": {code}}); status != http.StatusBadRequest {
		t.Error("a code that was answered leads on")
	}
}

// A device hears why it has no tokens, in the words of RFC 8628 §3.5 and RFC 6749 §5.2.
func TestADeviceHearsWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	asked := w.askDevice("kiosk", "openid")
	w.poll("tv", asked).check(t, http.StatusBadRequest, "invalid_grant") // another client's
	w.poll("kiosk", asked).check(t, http.StatusBadRequest, "authorization_pending")

	action, form := b.connect(asked.text("user_code"))
	form.Set("decision", "deny")
	to, _, _ := b.post(action, form)
	if got := b.until(to); got != "/device?refused" {
		t.Errorf("refused, and led to %s", got)
	}
	w.poll("kiosk", asked).check(t, http.StatusBadRequest, "access_denied")

	asked = w.askDevice("tv", "openid")
	action, form = b.connect(asked.text("user_code"))
	form.Set("decision", "allow")
	to, _, _ = b.post(action, form)
	to, _, _ = b.get(to) // to the page of consent
	if got := b.until(strings.Replace(to, "/consent", "/refuse", 1)); got != "/device?refused" {
		t.Errorf("refused consent, and led to %s", got)
	}
	w.poll("tv", asked).check(t, http.StatusBadRequest, "access_denied")

	asked = w.askDevice("tv", "openid")
	stranger := w.browser()
	to, _, _ = stranger.post("/device", url.Values{"user_code": {asked.text("user_code")}})
	to, _, _ = stranger.get(to) // to the page of the sign-in
	if got := stranger.until(strings.Replace(to, "/sign-in", "/refuse", 1)); got != "/device?refused" {
		t.Errorf("refused to sign in, and led to %s", got)
	}
	w.poll("tv", asked).check(t, http.StatusBadRequest, "access_denied")

	asked = w.askDevice("kiosk", "openid")
	b.approve(asked)
	w.pass(10 * time.Minute)
	w.poll("kiosk", asked).check(t, http.StatusBadRequest, "expired_token")
	late := w.askDevice("kiosk", "openid")
	action, form = b.connect(late.text("user_code"))
	w.pass(10 * time.Minute)
	form.Set("decision", "allow")
	to, _, _ = b.post(action, form)
	if got := b.until(to); got != "/device?late" {
		t.Errorf("too late, and led to %s", got)
	}

	for name, row := range map[string]struct {
		path, client string
		values       url.Values
		want         string
	}{
		"no device code":         {"/token", "kiosk", url.Values{"grant_type": {deviceCode}}, "invalid_request"},
		"garbage":                {"/token", "kiosk", url.Values{"grant_type": {deviceCode}, "device_code": {"device_x"}}, "invalid_grant"},
		"not its grant":          {"/token", "portal", url.Values{"grant_type": {deviceCode}, "device_code": {"device_x"}}, "unauthorized_client"},
		"asking without grant":   {"/device_authorization", "portal", url.Values{"scope": {"openid"}}, "unauthorized_client"},
		"asking for nothing":     {"/device_authorization", "kiosk", url.Values{}, "invalid_scope"},
		"asking for too much":    {"/device_authorization", "kiosk", url.Values{"scope": {"openid phone"}}, "invalid_scope"},
		"asking for another API": {"/device_authorization", "kiosk", url.Values{"scope": {"openid"}, "resource": {management}}, "invalid_target"},
		"asking twice at once":   {"/device_authorization", "kiosk", url.Values{"scope": {"openid", "openid"}}, "invalid_request"},
	} {
		if got := w.call(row.path, row.client, row.values); got.status != http.StatusBadRequest || got.text("error") != row.want {
			t.Errorf("%s: got %d %v, want %s", name, got.status, got.body, row.want)
		}
	}
	w.askDevice("", "openid").check(t, http.StatusUnauthorized, "invalid_client")
}

// A device that asks too often must wait five seconds longer, each time (RFC 8628 §3.5).
func TestAHastyDeviceWaitsLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.askDevice("kiosk", "openid")
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, "authorization_pending"},
		{5 * time.Second, "authorization_pending"},
		{5*time.Second - time.Millisecond, "slow_down"},
		{5 * time.Second, "slow_down"},
		{15 * time.Second, "authorization_pending"},
		{14 * time.Second, "slow_down"},
	} {
		w.pass(step.after)
		w.poll("kiosk", asked).check(t, http.StatusBadRequest, step.want)
	}
}

// Of twenty questions at once one is given the tokens; and since somebody has shown the code twice, what it gave is over.
func TestADeviceCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.askDevice("tv", "openid offline_access")
	w.browser().approve(asked)
	var (
		got  [20]answer
		race sync.WaitGroup
		won  answer
		n    int
	)
	for i := range got {
		race.Go(func() { got[i] = w.poll("tv", asked) })
	}
	race.Wait()
	for _, a := range got {
		if a.status == http.StatusOK {
			won, n = a, n+1
		} else {
			a.check(t, http.StatusBadRequest, "invalid_grant")
		}
	}
	if n != 1 {
		t.Fatalf("%d were given tokens, want 1", n)
	}
	w.userinfo(won.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	w.refresh("tv", won.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
}

// A device is given nothing in the name of somebody who was blocked after they approved it.
func TestADeviceOfSomebodyBlockedGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.askDevice("kiosk", "openid")
	w.browser().approve(asked)
	w.block()
	w.poll("kiosk", asked).check(t, http.StatusBadRequest, "invalid_grant")
}

// Whose device it is says the person who approves it, and nobody for them: not whoever was signed in before at the same browser, and no
// other site's page (RFC 8628 §5.4).
func TestADeviceIsConfirmedByWhoeverApprovesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	asked := w.askDevice("tv", "openid")
	action, form := b.connect(asked.text("user_code"))
	foreign := w.request(action, url.Values{"sid": form["sid"], "decision": {"allow"}})
	foreign.Header.Set("Origin", "https://evil.example")
	if _, status, _ := b.send(foreign); status != http.StatusForbidden {
		t.Errorf("another site's form: got %d", status)
	}
	if _, status, _ := w.browser().post(action, url.Values{"sid": form["sid"], "decision": {"allow"}}); status != http.StatusBadRequest {
		t.Errorf("another browser: got %d", status)
	}
	if to, _, _ := b.post(action, url.Values{"sid": {"another"}, "decision": {"allow"}}); b.until(to) != to {
		t.Error("another session's page was taken for an answer")
	}

	form.Set("decision", "allow")
	waiting, _, _ := b.post(action, form)
	b.until(strings.Replace(waiting, "/device", "/sign-in", 1)) // somebody signs in at this browser
	if _, status, body := b.get(waiting); status != http.StatusOK || !strings.Contains(body, "/device/decision") {
		t.Errorf("who signed in since is not asked: %d", status)
	}
	w.poll("tv", asked).check(t, http.StatusBadRequest, "authorization_pending")
}

// Codes cannot be guessed at for long from one network, and whoever has tried too many is not helped by a right one (RFC 8628 §5.1).
func TestGuessesAtUserCodesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	code := w.askDevice("kiosk", "openid").text("user_code")
	for range 100 {
		if _, status, _ := b.post("/device", url.Values{"user_code": {"BBBB-BBBB"}}); status != http.StatusBadRequest {
			t.Fatalf("got %d", status)
		}
	}
	if to, status, _ := b.post("/device", url.Values{"user_code": {code}}); status != http.StatusTooManyRequests || to != "" {
		t.Errorf("got %d, leading to %q", status, to)
	}
	if _, status, _ := b.post("/device", url.Values{"user_code": {"nonsense"}}); status != http.StatusBadRequest {
		t.Errorf("what cannot be a code: got %d", status)
	}
}

// Where Redis fails a device is told to come again, and a person is shown that it is our fault.
func TestADeviceWithoutRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.askDevice("kiosk", "openid")
	w.hook.broken.Store(true)
	w.askDevice("kiosk", "openid").check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	w.poll("kiosk", asked).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	if _, status, _ := w.browser().post("/device", url.Values{"user_code": {asked.text("user_code")}}); status < 500 {
		t.Errorf("got %d", status)
	}
	w.hook.broken.Store(false)
	w.poll("kiosk", asked).check(t, http.StatusBadRequest, "authorization_pending")
}

// What a client is registered to ask of every sign-in, it asks for its devices too (OpenID Connect Registration §2).
func TestADeviceAsksWhatItsClientAlwaysAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("bank", clients.Metadata{GrantTypes: []string{deviceCode}, Scope: "openid", DefaultMaxAge: new(int64(60))})
	b := w.browser()
	w.pass(2 * time.Minute)
	to, _, _ := b.post("/device", url.Values{"user_code": {w.askDevice("bank", "openid").text("user_code")}})
	if to, _, _ = b.get(to); !strings.HasPrefix(to, "/sign-in?") {
		t.Errorf("whoever signed in two minutes ago is led to %q", to)
	}
}
