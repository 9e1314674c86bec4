package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"asoba.example/provider"
)

// A standard client library walks the whole road: discovery, code with PKCE, ID token, UserInfo.
func TestAStandardClientSignsAPersonIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	op, err := oidc.NewProvider(ctx, w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	rp := oauth2.Config{
		ClientID: "portal", ClientSecret: w.secrets["portal"], RedirectURL: callback, Endpoint: op.Endpoint(),
		Scopes: []string{"openid", "profile", "cabinet.profile.read"},
	}
	pkce := oauth2.GenerateVerifier()
	b := w.browser()
	to := b.follow(strings.TrimPrefix(rp.AuthCodeURL("s", oidc.Nonce("n"), oauth2.S256ChallengeOption(pkce)), w.issuer))
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Query(); got.Get("state") != "s" || got.Get("iss") != w.issuer || len(got) != 3 || u.Fragment != "" {
		t.Errorf("got the answer %v, want code, state and iss (RFC 9207)", got)
	}
	token, err := rp.Exchange(ctx, u.Query().Get("code"), oauth2.VerifierOption(pkce))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := op.VerifierContext(ctx, &oidc.Config{ClientID: "portal", Now: w.now}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil || id.Nonce != "n" || id.Subject != identifier {
		t.Errorf("got nonce %q, sub %q, at_hash %v", id.Nonce, id.Subject, err)
	}
	info, err := op.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != identifier {
		t.Errorf("got %v, %v", info, err)
	}
}

// Until it is known to be the client's, nothing goes to a redirect URI (RFC 6749 §4.1.2.1): the person is told.
func TestErrorsBeforeTheRedirectURIIsTrustedGoNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, values := range map[string]url.Values{
		"an unknown client":            params("nobody"),
		"no client":                    params("portal", "client_id", ""),
		"two clients":                  {"client_id": {"portal", "portal"}, "redirect_uri": {callback}},
		"no redirect_uri":              params("portal", "redirect_uri", ""),
		"two redirect_uris":            {"client_id": {"portal"}, "redirect_uri": {callback, "https://evil.example"}},
		"another redirect_uri":         params("portal", "redirect_uri", "https://evil.example/cb"),
		"a longer path":                params("portal", "redirect_uri", callback+"/more"),
		"another case":                 params("portal", "redirect_uri", "https://portal.example/CB"),
		"an added query":               params("portal", "redirect_uri", callback+"?to=evil"),
		"a fragment":                   params("portal", "redirect_uri", callback+"#"),
		"a state too long to go back":  params("portal", "state", strings.Repeat("s", 2049)),
		"two states":                   {"client_id": {"portal"}, "redirect_uri": {callback}, "state": {"a", "b"}},
		"a confidential client's port": params("portal", "redirect_uri", "http://127.0.0.1:1/cb"),
		"nothing at all":               {},
	} {
		to, status, body := w.browser().get("/authorize?" + values.Encode())
		if to != "" || status != http.StatusBadRequest || !strings.Contains(body, "<html") {
			t.Errorf("%s: got %d, leading to %q: want 400 and a page", name, status, to)
		}
	}
}

// A registered redirect URI's own query comes back, and only a native client's loopback port is free (RFC 8252 §7.3).
func TestTheAnswerGoesWhereItIsRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	if got := b.authorize(params("portal", "redirect_uri", callback+"?lang=be")); got.Get("lang") != "be" || got.Get("code") == "" {
		t.Errorf("got %v, want the registered query beside the code", got)
	}
	if got := b.authorize(params("app", "redirect_uri", "http://127.0.0.1:50123/cb")); got.Get("code") == "" {
		t.Errorf("got %v, want a code", got)
	}
}

// Errors that the client may hear have error, state and iss, a printable description, and never a code. They come at once: before anybody
// is troubled to sign in.
func TestRequestsThatAreWrongAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twice := params("portal")
	twice["scope"] = []string{"openid", "openid"}
	for name, row := range map[string]struct {
		values url.Values
		want   string
	}{
		"a parameter twice":                   {twice, "invalid_request"},
		"no response_type":                    {params("portal", "response_type", ""), "unsupported_response_type"},
		"the implicit flow":                   {params("portal", "response_type", "token"), "unsupported_response_type"},
		"the hybrid flow":                     {params("portal", "response_type", "code id_token"), "unsupported_response_type"},
		"response_mode fragment":              {params("portal", "response_mode", "fragment"), "invalid_request"},
		"an unsigned object":                  {params("portal", "request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"},
		"an unsigned object without openid":   {params("portal", "request", "eyJhbGciOiJub25lIn0.e30.", "scope", "profile"), "request_not_supported"},
		"an object of a client without keys":  {params("portal", "request", w.object(object{client: "portal"})), "invalid_request_object"},
		"a request that was not pushed":       {params("pushing"), "invalid_request"},
		"a request that was not signed":       {params("signing"), "invalid_request"},
		"a name that no request has":          {params("pushing", "request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request_uri"},
		"a request by reference":              {params("portal", "request_uri", "https://portal.example/r"), "request_uri_not_supported"},
		"a registration":                      {params("portal", "registration", "{}"), "registration_not_supported"},
		"no code_challenge":                   {params("portal", "code_challenge", ""), "invalid_request"},
		"no PKCE, public client":              {params("app", "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"PKCE plain":                          {params("portal", "code_challenge_method", "plain"), "invalid_request"},
		"PKCE without a method":               {params("portal", "code_challenge_method", ""), "invalid_request"},
		"a code_challenge that is none":       {params("portal", "code_challenge", "short"), "invalid_request"},
		"a method without a challenge":        {params("relaxed", "code_challenge", ""), "invalid_request"},
		"max_age that is no number":           {params("portal", "max_age", "soon"), "invalid_request"},
		"max_age below zero":                  {params("portal", "max_age", "-1"), "invalid_request"},
		"prompt none with another":            {params("portal", "prompt", "none login"), "invalid_request"},
		"a prompt that there is not":          {params("portal", "prompt", "create"), "invalid_request"},
		"an id_token_hint that is none":       {params("portal", "id_token_hint", "eyJhbGciOiJub25lIn0.e30."), "invalid_request"},
		"a nonce too long":                    {params("portal", "nonce", strings.Repeat("n", 2049)), "invalid_request"},
		"ui_locales too long":                 {params("portal", "ui_locales", strings.Repeat("be ", 700)), "invalid_request"},
		"acr_values too long":                 {params("portal", "acr_values", strings.Repeat("phr ", 700)), "invalid_request"},
		"no scope":                            {params("portal", "scope", ""), "invalid_scope"},
		"a scope in another case":             {params("portal", "scope", "OPENID"), "invalid_scope"},
		"a scope that is not the client's":    {params("service", "scope", "openid cabinet.profile.read"), "invalid_scope"},
		"a resource that is not the client's": {params("portal", "resource", management), "invalid_target"},
		"nobody signed in, silently":          {params("portal", "prompt", "none"), "login_required"},
	} {
		to, status, _ := w.browser().get("/authorize?" + row.values.Encode())
		u, err := url.Parse(to)
		if err != nil || !strings.HasPrefix(to, row.values.Get("redirect_uri")) || status != http.StatusSeeOther {
			t.Errorf("%s: got %d, leading to %q", name, status, to)
			continue
		}
		got := u.Query()
		if got.Get("error") != row.want || got.Get("state") != "st" || got.Get("iss") != w.issuer || len(got) != 4 {
			t.Errorf("%s: got %v, want %s, a description, state and iss", name, got, row.want)
		}
		if !regexp.MustCompile(`^[ !#-\[\]-~]+$`).MatchString(got.Get("error_description")) {
			t.Errorf("%s: description %q is not printable ASCII (RFC 6749 §4.1.2.1)", name, got.Get("error_description"))
		}
	}
}

// State is the client's own affair: of any length up to the limit it comes back as it was, and where there was none, none comes.
func TestStateComesBackWhole(t *testing.T) {
	t.Parallel()
	b := newWorld(t).browser()
	for _, state := range []string{"1", "a b&c=d\"'<>/?%", strings.Repeat("s", 2048)} {
		if got := b.authorize(params("portal", "state", state)); got.Get("state") != state || !got.Has("code") {
			t.Errorf("sent %.20q, got %.20q", state, got.Get("state"))
		}
	}
	if got := b.authorize(params("portal", "state", "")); got.Has("state") {
		t.Error("a state came back that was not sent")
	}
}

// A nonce comes back in the ID token as it was, up to the same limit; where there was none, none comes (OpenID Connect Core §3.1.2.1, §15.5.2).
func TestANonceComesBackWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, nonce := range []string{"", "1", "a b&c=d\"'<>/?%\u00e9", strings.Repeat("n", 2048)} {
		_, claims := w.claims(w.redeem("portal", b.code("portal", "nonce", nonce)).text("id_token"))
		if got, told := claims["nonce"].(string); got != nonce || told != (nonce != "") {
			t.Errorf("sent %.20q, got %.20q", nonce, got)
		}
	}
}

// Unknown parameters and scopes are ignored (RFC 6749 §3.1; OpenID Connect Core §3.1.2.1).
func TestWhatIsUnknownIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code("portal", "foo", "bar", "display", "popup", "login_hint", "x", "scope", "openid email", "acr_values", "phr")
	if got := w.redeem("portal", code); got.text("scope") != "openid" {
		t.Errorf("got %v", got.body)
	}
}

// What is not understood goes no further than the door. The page of consent shows the scopes of the request that waits, and the
// agreement keeps them: nobody writes there by a link that bears another's client_id.
func TestWhatWaitsIsWhatWasUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	values := params("service", "scope", "openid call-0900-555-now openid email offline_access")
	values["resource"] = []string{w.issuer, w.issuer, w.issuer}
	if to, _, _ := w.browser().get("/authorize?" + values.Encode()); !strings.HasPrefix(to, "/sign-in?") {
		t.Fatalf("led to %q", to)
	}
	keys := must(w.redis.Keys(t.Context(), "interaction:*").Result())
	if len(keys) != 1 {
		t.Fatalf("%d wait, want 1", len(keys))
	}
	var waits struct{ Request url.Values }
	if err := json.Unmarshal([]byte(must(w.redis.Get(t.Context(), keys[0]).Result())), &waits); err != nil {
		t.Fatal(err)
	}
	if got := waits.Request; !slices.Equal(got["scope"], []string{"openid"}) || !slices.Equal(got["resource"], []string{w.issuer}) {
		t.Errorf("scope %q, resource %q", got["scope"], got["resource"])
	}
}

// A POST is taken like a GET. It comes from another site without cookies, so the browser is sent back for its session by GET.
func TestAuthorizeByPOST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	to, status, _ := b.post("/authorize", params("portal", "prompt", "none"))
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "/authorize?interaction=") {
		t.Fatalf("got %d, leading to %q", status, to)
	}
	if strings.Contains(to, "portal") {
		t.Error("parameters of a POST stand in an address")
	}
	if to = b.follow(to); !strings.Contains(to, "code=") {
		t.Errorf("led to %q, want a code", to)
	}
}

// Redis may be emptied, or have let a request go after its time: the browser's copy is the same request, and leads to the same answer; until it is
// answered, and in no other browser.
func TestARequestOutlivesRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, stranger := w.browser(), w.browser()
	empty := func() {
		if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	copied := func(page string) bool {
		_, id, _ := strings.Cut(page, "interaction=")
		return slices.ContainsFunc(b.copies(), func(c *http.Cookie) bool { return c.Name == "idp_request_"+id })
	}
	page, _, _ := b.get("/authorize?" + params("portal", "ui_locales", "be").Encode())
	empty()
	if before := w.waiting(b, page); before.Request.Get("nonce") != params("portal").Get("nonce") || before.Locales != "be" {
		t.Errorf("another request begins anew: %+v", before)
	}
	if _, status, _ := stranger.get(page); status != http.StatusTeapot {
		t.Errorf("it begins anew in another browser: %d", status)
	}
	empty()
	to, _, _ := b.get(page)
	w.pass(2 * time.Hour) // longer than anybody may wait here
	empty()
	if to = b.follow(to); !strings.HasPrefix(to, callback) || !strings.Contains(to, "code=") || !strings.Contains(to, "state=st") {
		t.Errorf("led to %q, want a code", to)
	}
	if copied(page) {
		t.Error("the copy outlives the answer")
	}
	if to, _, _ := b.get(strings.Replace(page, "/sign-in", "/authorize", 1)); !strings.HasPrefix(to, "/sign-in?interaction=") {
		t.Errorf("what is answered leads to %q", to)
	}

	for name, request := range map[string]url.Values{
		"a long one":        params("portal", "prompt", "login", "state", strings.Repeat("s", 2000), "nonce", strings.Repeat("n", 2000)),
		"one of somebody's": params("portal", "prompt", "login", "id_token_hint", w.redeem("portal", b.code("portal")).text("id_token")),
	} {
		w.pass(time.Minute) // since the last sign-in
		page, _, _ := b.get("/authorize?" + request.Encode())
		if !copied(page) {
			t.Errorf("%s: no copy", name)
		}
		empty()
		if _, status, _ := b.get(page); status != http.StatusTeapot {
			t.Errorf("%s begins anew", name)
		}
	}
}

// So do several that wait in several tabs, each as itself; the oldest only as long as there is room for all that comes with each request.
func TestSeveralRequestsOutliveRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	begins := func(state string) (page string) {
		w.pass(time.Second)
		page, _, _ = b.get("/authorize?" + params("portal", "prompt", "login", "state", state).Encode())
		return page
	}
	empty := func() {
		if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	begins("left")
	first, second := begins("one"), begins("two")
	empty()
	to, _, _ := b.get(first)
	if to = b.follow(to); !strings.Contains(to, "code=") || !strings.Contains(to, "state=one") {
		t.Errorf("the first leads to %q", to)
	}
	empty()
	if got := w.waiting(b, second).Request.Get("state"); got != "two" {
		t.Errorf("the second begins anew as %q", got)
	}

	// A copy by the bare name is read as well.
	issuer := must(url.Parse(w.issuer))
	copies := b.copies()
	last := copies[len(copies)-1]
	b.client.Jar.SetCookies(issuer, []*http.Cookie{{Name: last.Name, Path: "/", MaxAge: -1}, {Name: "idp_request", Path: "/", Value: last.Value}})
	empty()
	if got := w.waiting(b, second).Request.Get("state"); got != "two" {
		t.Errorf("by its former name it begins anew as %q", got)
	}

	b.client.Jar.SetCookies(issuer, []*http.Cookie{{Name: "idp_request_0", Path: "/", Value: "none"}})
	var pages []string
	for n := range 20 {
		pages = append(pages, begins(strconv.Itoa(n)))
	}
	size, copies := 0, b.copies()
	for _, c := range copies {
		size += len(c.Value)
	}
	if size > 3<<10 || len(copies) < 3 {
		t.Errorf("%d copies take %d bytes", len(copies), size)
	}
	for n, page := range pages {
		empty()
		if _, status, _ := b.get(page); (status == http.StatusTeapot) != (n < len(pages)-len(copies)) {
			t.Errorf("%d of %d, of which the last %d are kept, is answered with %d", n, len(pages), len(copies), status)
		}
	}
}

// What was answered is over: a second click that was on its way, with the copy that the browser had until it heard the answer, raises it no more.
func TestWhatWasAnsweredIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page, _, _ := b.get("/authorize?" + params("portal").Encode())
	issuer := must(url.Parse(w.issuer))
	had, before := b.client.Jar.Cookies(issuer), w.waiting(b, page)
	to, _, _ := b.get(page)
	if to = b.follow(to); !strings.Contains(to, "code=") {
		t.Fatalf("led to %q, want a code", to)
	}
	b.client.Jar.SetCookies(issuer, had)
	for range 2 {
		if err := w.interactions.Learn(t.Context(), &before, func(*provider.Interaction) {}); !errors.Is(err, provider.ErrNoInteraction) {
			t.Errorf("something was learnt of it still: %v", err)
		}
		if to, _, _ := b.get(strings.Replace(page, "/sign-in", "/authorize", 1)); !strings.HasPrefix(to, "/sign-in?interaction=") {
			t.Errorf("it leads to %q once more", to)
		}
	}
}

// What the pages of several tabs learn is all kept: by one that found the interaction long ago, and by many at the same moment.
func TestWhatSeveralTabsLearnIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page, _, _ := b.get("/authorize?" + params("portal").Encode())
	found := w.waiting(b, page)
	want := provider.Interaction{
		Decided:  provider.Decided{Agreed: []string{"openid"}, Confirmed: "sid", Refused: true},
		Claimant: provider.Claimant{Typed: "3010130K001PB5", Known: w.person, Owner: uuid.New()},
	}
	var race sync.WaitGroup
	for _, learn := range []func(*provider.Interaction){
		func(i *provider.Interaction) { i.Agreed = want.Agreed },
		func(i *provider.Interaction) { i.Confirmed = want.Confirmed },
		func(i *provider.Interaction) { i.Refused = want.Refused },
		func(i *provider.Interaction) { i.Typed = want.Typed },
		func(i *provider.Interaction) { i.Known = want.Known },
		func(i *provider.Interaction) { i.Owner = want.Owner },
	} {
		race.Go(func() { w.pageLearns(found, learn) })
	}
	race.Wait()
	is := func(got provider.Interaction) {
		t.Helper()
		if !reflect.DeepEqual(got.Decided, want.Decided) || got.Claimant != want.Claimant {
			t.Errorf("got %+v, %+v, want %+v, %+v", got.Decided, got.Claimant, want.Decided, want.Claimant)
		}
	}
	is(w.waiting(b, page))
	want.Typed, want.Agreed = "", nil
	is(w.pageLearns(found, func(i *provider.Interaction) { i.Typed, i.Agreed = "", nil }))
	is(w.waiting(b, page))
}

// Of many who come back with one request at the same moment exactly one has a code; the others are told the way back.
func TestARequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page, _, _ := b.get("/authorize?" + params("portal").Encode())
	back, _, _ := b.get(page)
	var (
		codes, gone atomic.Int64
		race        sync.WaitGroup
	)
	const many = 20
	for range many {
		race.Go(func() {
			switch to, _, _ := b.get(back); {
			case strings.HasPrefix(to, callback) && strings.Contains(to, "code="):
				codes.Add(1)
			case to == page:
				gone.Add(1)
			}
		})
	}
	race.Wait()
	if codes.Load() != 1 || gone.Load() != many-1 {
		t.Errorf("%d codes, and %d are told the way back, want 1 and %d", codes.Load(), gone.Load(), many-1)
	}
}

// Of two that begin a lost request anew at once the slower takes nothing back that the faster has led to.
func TestARequestBeginsAnewOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page, _, _ := b.get("/authorize?" + params("portal").Encode())
	if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	w.redis.AddHook(&first{command: "set", then: func() {
		w.pageLearns(w.waiting(b, page), func(i *provider.Interaction) { i.Agreed = []string{"openid"} })
	}})
	for _, when := range []string{"at once", "later"} {
		if got := w.waiting(b, page).Agreed; !slices.Equal(got, []string{"openid"}) {
			t.Errorf("%s %q is agreed to", when, got)
		}
	}
}

// first does something before the first of some command reaches Redis. It is a hook of go-redis.
type first struct {
	command string
	then    func()
	done    atomic.Bool
}

func (*first) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f *first) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if command.Name() == f.command && f.done.CompareAndSwap(false, true) {
			f.then()
		}
		return next(ctx, command)
	}
}

func (*first) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// With form_post the answer travels in a page that sends itself, and works without scripts; errors too (OAuth 2.0 Form Post Response Mode §2).
func TestFormPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	for _, row := range []struct{ prompt, has string }{{"none", `name="code"`}, {"none login", `name="error"`}} {
		to, status, body := b.get("/authorize?" + params("portal", "response_mode", "form_post", "prompt", row.prompt).Encode())
		if to != "" || status != http.StatusOK {
			t.Errorf("prompt %s: got %d, leading to %q", row.prompt, status, to)
		}
		for _, want := range []string{`action="` + callback + `"`, `method="post"`, row.has, `name="state" value="st"`, `name="iss"`, `type="submit"`, `<script src="/static/submit.`} {
			if !strings.Contains(body, want) {
				t.Errorf("prompt %s: the page lacks %s", row.prompt, want)
			}
		}
	}
}

// auth_time is when the person last proved who they are: it moves with prompt=login and max_age, and only then.
func TestAuthTimeTellsTheTruth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	authTime := func(changes ...string) time.Time {
		t.Helper()
		_, claims := w.claims(w.redeem("portal", b.code("portal", changes...)).text("id_token"))
		return time.Unix(int64(claims["auth_time"].(float64)), 0).UTC()
	}
	noon := w.now()
	for _, step := range []struct {
		changes []string
		want    time.Duration // past noon
	}{
		{nil, 0},
		{nil, 0},
		{[]string{"prompt", "none"}, 0},
		{[]string{"max_age", "3600"}, 0},
		{[]string{"max_age", "180"}, 4 * time.Minute},
		{[]string{"max_age", "0"}, 5 * time.Minute}, // fosite ignores it
		{[]string{"prompt", "login"}, 6 * time.Minute},
		{[]string{"prompt", "select_account"}, 7 * time.Minute},
		{[]string{"acr_values", "substantial low"}, 7 * time.Minute},
		{[]string{"acr_values", "substantial"}, 9 * time.Minute},
		{[]string{"acr_values", "low", "prompt", "none"}, 9 * time.Minute},
	} {
		if got := authTime(step.changes...); !got.Equal(noon.Add(step.want)) {
			t.Errorf("%v: got auth_time %v past noon, want %v", step.changes, got.Sub(noon), step.want)
		}
		w.pass(time.Minute)
	}
	if got := b.authorize(params("portal", "prompt", "none", "max_age", "60")); got.Get("error") != "login_required" {
		t.Errorf("got %v, want login_required", got)
	}
}

// Whoever signs in is told alike by prompt=login and by max_age that a sign-in of its own is asked for.
func TestAFreshSignInIsAskedForAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, row := range []struct {
		changes []string
		want    bool
	}{
		{nil, false},
		{[]string{"prompt", "consent"}, false},
		{[]string{"prompt", "login"}, true},
		{[]string{"prompt", "consent select_account"}, true},
		{[]string{"max_age", "0"}, true},
		{[]string{"max_age", "3600"}, true},
	} {
		b := w.browser()
		to, _, _ := b.get("/authorize?" + params("portal", row.changes...).Encode())
		if got := w.waiting(b, to).Fresh; got != row.want {
			t.Errorf("%v: a sign-in of its own is asked for: %t", row.changes, got)
		}
	}
}

// A hint of who is signed in goes on, expired or not; of somebody else it is an error, and an access token is no hint.
func TestIDTokenHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	tokens := w.redeem("portal", b.code("portal"))
	w.pass(time.Hour / 2)
	theirs := params("portal", "prompt", "none", "id_token_hint", tokens.text("id_token"))
	if got := b.authorize(theirs); !got.Has("code") {
		t.Errorf("got %v, want a code for an expired hint", got)
	}
	if got := b.authorize(params("portal", "id_token_hint", tokens.text("access_token"))); got.Get("error") != "invalid_request" {
		t.Errorf("got %v, want an access token refused as a hint", got)
	}
	parts := strings.Split(tokens.text("id_token"), ".")
	forged := parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2]))
	if got := b.authorize(params("portal", "id_token_hint", forged)); got.Get("error") != "invalid_request" {
		t.Errorf("got %v, want a hint with a bad signature refused", got)
	}
	w.exec(`UPDATE person SET identification_number = '4080356A001PB1'`)
	for _, prompt := range []string{"none", ""} {
		theirs.Set("prompt", prompt)
		if got := b.authorize(theirs); got.Get("error") != "login_required" {
			t.Errorf("prompt %q: got %v, want login_required for a hint of somebody else", prompt, got)
		}
	}
}

// Whose client is not the state's own is asked, once; silently it is an error. Who refuses is heard.
func TestConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	if got := b.authorize(params("service", "prompt", "none")); got.Get("error") != "consent_required" {
		t.Errorf("got %v, want consent_required", got)
	}
	to, _, _ := b.get("/authorize?" + params("service").Encode())
	if !strings.HasPrefix(to, "/consent?") {
		t.Fatalf("led to %q, want the consent page", to)
	}
	if to = b.follow(strings.Replace(to, "/consent", "/refuse", 1)); !strings.Contains(to, "error=access_denied") {
		t.Errorf("led to %q, want access_denied", to)
	}
	if got := b.authorize(params("service")); !got.Has("code") {
		t.Errorf("got %v, want a code after consent", got)
	}
	if got := b.authorize(params("service", "prompt", "none")); !got.Has("code") {
		t.Errorf("got %v, want a code by the standing agreement", got)
	}
	if to, _, _ = b.get("/authorize?" + params("service", "prompt", "consent").Encode()); !strings.HasPrefix(to, "/consent?") {
		t.Errorf("led to %q, want the page again for prompt=consent", to)
	}
}

// An interaction is the browser's that began it, and is over once it was answered.
func TestAnInteractionIsOneBrowsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	to, _, _ := b.get("/authorize?" + params("portal").Encode())
	b.get("/authorize?" + params("portal").Encode()) // another tab does not disturb it
	if _, status, _ := w.browser().get(to); status != http.StatusTeapot {
		t.Errorf("another browser opened the page: %d", status)
	}
	back, _, _ := b.get(to)
	gone := strings.Replace(back, "/authorize", "/sign-in", 1) // where the way back to the service is told
	if next, status, _ := w.browser().get(back); next != gone || status != http.StatusSeeOther {
		t.Errorf("another browser took the answer: %d, %q", status, next)
	}
	if away := b.follow(back); !strings.Contains(away, "code=") {
		t.Fatalf("led to %q", away)
	}
	if next, status, _ := b.get(back); next != gone || status != http.StatusSeeOther {
		t.Errorf("answered twice: %d, %q", status, next)
	}
}

// Redis gone, or a statement failing, gives the client an error and nobody a code.
func TestAuthorizeFailsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	w.trips.FailAt(1)
	if got := b.authorize(params("portal")); got.Get("error") != "temporarily_unavailable" || got.Has("code") {
		t.Errorf("PostgreSQL: got %v", got)
	}
	w.trips.FailAt(0)
	w.hook.broken.Store(true)
	if got := b.authorize(params("portal")); got.Get("error") != "temporarily_unavailable" || got.Has("code") {
		t.Errorf("Redis: got %v", got)
	}
	w.hook.broken.Store(false)
	b.code("portal")
}

// From the moment of a block nothing is given for the sign-in: not by the session, which Redis still holds, and not by a code.
func TestAfterABlockNothingIsGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	held := b.code("portal")
	tokens := w.redeem("portal", b.code("portal", "scope", "openid offline_access"))
	w.pass(time.Second)
	w.block()
	if got := b.authorize(params("portal", "prompt", "none")); got.Get("error") != "login_required" {
		t.Errorf("authorize: got %v", got)
	}
	w.redeem("portal", held).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("portal", tokens.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
	w.userinfo(tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")

	// Unblocked, the old sign-in stays worth nothing.
	w.exec(`UPDATE identity SET state = 'active', block_reason = NULL`)
	if got := b.authorize(params("portal", "prompt", "none")); got.Get("error") != "login_required" {
		t.Errorf("authorize after unblocking: got %v", got)
	}
	w.userinfo(tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	w.pass(time.Second)
	b.code("portal")
}
