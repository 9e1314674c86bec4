package cabinet

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"asoba.example/cabinet/issuer/issuertest"
	"asoba.example/cabinet/profile"
)

// told has the provider tell something, and gives the status of the answer, which no cache keeps.
func (w *world) told(t *testing.T, token string) int {
	t.Helper()
	answer, err := http.PostForm(w.url+"/back-channel-logout", url.Values{"logout_token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s may be kept", answer.Status)
	}
	return answer.StatusCode
}

// A Logout Token ends the sessions that came of one session at the provider, or of all of one person's where it names none, and no others
// (OpenID Connect Back-Channel Logout §2.7). They are gone before the browser asks for another page.
func TestTheProviderEndsSessions(t *testing.T) {
	t.Parallel()
	const other, boris = "another-session", "1000000A000PB0"
	signedIn := map[string]struct{ sid, subject string }{ // by browser
		"hers": {sid, annasNumber}, "hers too": {sid, annasNumber}, "hers elsewhere": {other, annasNumber}, "his": {"his-session", boris},
	}
	for name, c := range map[string]struct {
		tells map[string]any
		over  []string
	}{
		"of a session":                {map[string]any{"sid": sid}, []string{"hers", "hers too"}},
		"of a session of hers":        {map[string]any{"sid": sid, "sub": annasNumber}, []string{"hers", "hers too"}},
		"of another of hers":          {map[string]any{"sid": other, "sub": annasNumber}, []string{"hers elsewhere"}},
		"of hers":                     {map[string]any{"sub": annasNumber}, []string{"hers", "hers too", "hers elsewhere"}},
		"of one that nothing came of": {map[string]any{"sid": "unheard-of", "sub": annasNumber}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write(t, func(ctx context.Context, tx pgx.Tx) error {
				return profile.Apply(ctx, tx, []profile.Person{{ID: uuid.New(), Number: boris, Sex: "M", BirthDate: "1990", Citizenship: "BY"}}, noon.Add(-48*time.Hour))
			})
			browsers := map[string]*browser{}
			for at, came := range signedIn {
				claims := signIn()
				claims["sid"], claims["sub"] = came.sid, came.subject
				w.provider.SignIn(claims, "")
				browsers[at] = w.browser(t)
				browsers[at].want("/sign-in", "/", http.StatusOK, "Welcome")
			}
			if got := w.told(t, w.provider.LogoutToken("logout+jwt", c.tells)); got != http.StatusOK {
				t.Errorf("answered %d", got)
			}
			if left := w.sessions(t); left != len(signedIn)-len(c.over) {
				t.Errorf("%d sessions are left", left)
			}
			for at, b := range browsers {
				says := "Welcome"
				if slices.Contains(c.over, at) {
					says = "You already have a cabinet"
				}
				b.want("/", "/", http.StatusOK, says)
			}
		})
	}
}

// sessions counts those that are kept.
func (w *world) sessions(t *testing.T) (n int) {
	t.Helper()
	keys, err := w.redis.Keys(t.Context(), "cabinet:session:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		kept, err := w.redis.Get(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if kept != over {
			n++
		}
	}
	return n
}

// A session whose end is told after it was noted and before it is kept does not begin; the next one does.
func TestASessionThatIsOverBeforeItIsKeptDoesNotBegin(t *testing.T) {
	t.Parallel()
	for of, tells := range map[string]map[string]any{"of a session": {"sid": sid}, "of hers": {"sub": annasNumber}} {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.provider.SignIn(signIn(), "")
			var told sync.Once
			w.redis.AddHook(keeps(func() {
				told.Do(func() {
					if got := w.told(t, w.provider.LogoutToken("logout+jwt", tells)); got != http.StatusOK {
						t.Errorf("answered %d", got)
					}
				})
			}))
			b := w.browser(t)
			b.want("/sign-in", "/", http.StatusOK, "You already have a cabinet")
			if left := w.sessions(t); left != 0 {
				t.Errorf("%d sessions are left", left)
			}
			b.want("/sign-in", "/", http.StatusOK, "Welcome")
			if left := w.sessions(t); left != 1 {
				t.Errorf("%d sessions have begun", left)
			}
		})
	}
}

// keeps does something before a session is kept.
type keeps func()

func (k keeps) DialHook(next redis.DialHook) redis.DialHook { return next }

func (k keeps) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		if args := c.Args(); c.Name() == "set" && strings.HasPrefix(fmt.Sprint(args[1]), "cabinet:session:") {
			k()
		}
		return next(ctx, c)
	}
}

func (k keeps) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// What is no Logout Token for this client, or comes a second time, ends nothing (OpenID Connect Back-Channel Logout §2.6). Whoever can
// make the cabinet take one signs citizens out.
func TestWhatIsNoLogoutTokenEndsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", http.StatusOK, annasNumber)
	stranger := issuertest.New(t, w.provider.Now) // its key has the name of the provider's
	tells := func(changes map[string]any) map[string]any {
		all := map[string]any{"sid": sid, "sub": annasNumber}
		maps.Copy(all, changes)
		return all
	}
	const event = "http://schemas.openid.net/event/backchannel-logout"
	changed := func(changes map[string]any) string { return w.provider.LogoutToken("logout+jwt", tells(changes)) }
	for name, token := range map[string]string{
		"nothing":                   "",
		"no token":                  "open",
		"signed by another key":     stranger.LogoutToken("logout+jwt", tells(map[string]any{"iss": w.provider.URL})),
		"of another issuer":         changed(map[string]any{"iss": stranger.URL}),
		"of no issuer":              changed(map[string]any{"iss": nil}),
		"for another client":        changed(map[string]any{"aud": "service"}),
		"for the API":               changed(map[string]any{"aud": w.url}),
		"for nobody":                changed(map[string]any{"aud": nil}),
		"expired":                   changed(map[string]any{"exp": noon.Add(-time.Second).Unix()}),
		"without an end":            changed(map[string]any{"exp": nil}),
		"of tomorrow":               changed(map[string]any{"iat": noon.Add(24 * time.Hour).Unix()}),
		"of no time":                changed(map[string]any{"iat": nil}),
		"without a name":            changed(map[string]any{"jti": nil}),
		"of no event":               changed(map[string]any{"events": nil}),
		"of another event":          changed(map[string]any{"events": map[string]any{event + "-not": struct{}{}}}),
		"of an event that is none":  changed(map[string]any{"events": map[string]any{event: nil}}),
		"of an event that is text":  changed(map[string]any{"events": map[string]any{event: "yes"}}),
		"with a nonce":              changed(map[string]any{"nonce": "a"}),
		"with a nonce that is none": changed(map[string]any{"nonce": ""}),
		"of nobody":                 changed(map[string]any{"sid": nil, "sub": nil}),
		"of the type of ID tokens":  w.provider.LogoutToken("JWT", tells(nil)),
		"of the type of access":     w.provider.LogoutToken("at+jwt", tells(nil)),
		"an access token":           w.provider.AccessToken(issuertest.ClientID, signIn()),
	} {
		if got := w.told(t, token); got != http.StatusBadRequest {
			t.Errorf("%s: answered %d", name, got)
		}
		b.want("/", "/", http.StatusOK, "Welcome")
	}

	token := w.provider.LogoutToken("application/logout+jwt", tells(nil))
	if got := w.told(t, token); got != http.StatusOK {
		t.Errorf("a good one: answered %d", got)
	}
	b.want("/", "/", http.StatusOK, "You already have a cabinet")
	b.want("/profile", "/profile", http.StatusOK, annasNumber)
	if got := w.told(t, token); got != http.StatusBadRequest {
		t.Errorf("a second time: answered %d", got)
	}
	b.want("/", "/", http.StatusOK, "Welcome")
}

// That a session could not be ended is told, so that the provider tries again (§2.8); and it does not tell why.
func TestALogoutThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", http.StatusOK, annasNumber)
	places, err := w.redis.Keys(t.Context(), "cabinet:sessions:*").Result()
	if err != nil || len(places) != 2 {
		t.Fatalf("places: %v, %v", places, err)
	}
	kept := map[string]string{}
	for _, place := range places {
		if kept[place], err = w.redis.Dump(t.Context(), place).Result(); err != nil {
			t.Fatal(err)
		}
		if err := w.redis.Set(t.Context(), place, "no set", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	token := w.provider.LogoutToken("logout+jwt", map[string]any{"sid": sid})
	tell := func() int { return w.told(t, token) }
	if got := tell(); got != http.StatusBadRequest {
		t.Errorf("answered %d", got)
	}
	for place, dump := range kept {
		if err := w.redis.RestoreReplace(t.Context(), place, time.Hour, dump).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if got := tell(); got != http.StatusOK {
		t.Errorf("tried again: answered %d", got)
	}
	b.want("/", "/", http.StatusOK, "You already have a cabinet")
}
