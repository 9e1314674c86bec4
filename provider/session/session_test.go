package session_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"asoba.example/migrations/redistest"
	"asoba.example/provider/session"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// begin signs a person in at a browser and gives the browser's next request.
func begin(t *testing.T, store *session.Store, r *http.Request, s session.Session) (session.Session, *http.Request) {
	t.Helper()
	answer := httptest.NewRecorder()
	s, err := store.Begin(t.Context(), answer, r, s)
	if err != nil {
		t.Fatal(err)
	}
	next := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range answer.Result().Cookies() {
		next.AddCookie(c)
	}
	return s, next
}

func find(t *testing.T, store *session.Store, r *http.Request) session.Session {
	t.Helper()
	s, err := store.Find(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newStore(t *testing.T) (*session.Store, redis.UniversalClient, *time.Time) {
	t.Helper()
	client, now := redistest.New(t), noon
	return session.New(session.Config{
		Redis: client, Secure: true, Idle: func() time.Duration { return 15 * time.Minute }, Total: func() time.Duration { return 12 * time.Hour },
		Now: func() time.Time { return now },
	}), client, &now
}

func fresh() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) }

func TestASessionIsFoundByItsCookieAlone(t *testing.T) {
	t.Parallel()
	store, client, now := newStore(t)
	person := uuid.Must(uuid.NewV7())
	begun, browser := begin(t, store, fresh(), session.Session{
		Person: person, AuthTime: noon, ACR: "substantial", AMR: []string{"pwd", "sms"}, Agent: "Firefox, Linux",
	})
	got := find(t, store, browser)
	if got.SID != begun.SID || got.Person != person || !got.AuthTime.Equal(noon) || got.ACR != "substantial" || len(got.AMR) != 2 {
		t.Errorf("got %+v, want %+v", got, begun)
	}
	if !store.Had(browser) || store.Had(fresh()) {
		t.Error("who was given a session is not told by the cookie")
	}
	if s := find(t, store, fresh()); !s.IsZero() {
		t.Errorf("a browser without a cookie is %+v", s)
	}
	forged := fresh()
	forged.AddCookie(&http.Cookie{Name: "__Host-idp_session", Value: strings.Repeat("A", 43)})
	if s := find(t, store, forged); !s.IsZero() {
		t.Errorf("a forged cookie is %+v", s)
	}

	// Redis holds neither the cookie nor, in a key, the person; and forgets by itself.
	cookie := browser.Cookies()[0].Value
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		ttl, err := client.TTL(t.Context(), key).Result()
		if err != nil || ttl <= 0 {
			t.Errorf("%s lives for %v, %v", key, ttl, err)
		}
		if strings.Contains(key, cookie) || strings.Contains(key, person.String()) {
			t.Errorf("the key %s tells", key)
		}
	}

	*now = noon.Add(12 * time.Hour)
	if s := find(t, store, browser); !s.IsZero() {
		t.Error("a session outlives its total time")
	}
}

// The idle time begins anew with every request, and ends a session that lies.
func TestASessionThatLiesIdleEnds(t *testing.T) {
	t.Parallel()
	store, client, _ := newStore(t)
	_, browser := begin(t, store, fresh(), session.Session{Person: uuid.New(), AuthTime: noon})
	keys, err := client.Keys(t.Context(), "session:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	if err := client.Expire(t.Context(), keys[0], time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	find(t, store, browser)
	if ttl := client.TTL(t.Context(), keys[0]).Val(); ttl < 14*time.Minute {
		t.Errorf("after a request it may lie for %v", ttl)
	}
	if err := client.PExpire(t.Context(), keys[0], -time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if s := find(t, store, browser); !s.IsZero() {
		t.Error("found after its idle time")
	}
}

// A cookie planted before a sign-in is worth nothing after it (RFC 9700 §4.7).
func TestEverySignInHasANewCookieAndEndsTheOldOne(t *testing.T) {
	t.Parallel()
	store, _, _ := newStore(t)
	first, old := begin(t, store, fresh(), session.Session{Person: uuid.New(), AuthTime: noon})
	second, browser := begin(t, store, old, session.Session{Person: uuid.New(), AuthTime: noon})
	if first.SID == second.SID || old.Cookies()[0].Value == browser.Cookies()[0].Value {
		t.Error("the session was carried over")
	}
	if s := find(t, store, old); !s.IsZero() {
		t.Error("the old cookie still works")
	}
	answer := httptest.NewRecorder()
	if err := store.End(t.Context(), answer, browser); err != nil {
		t.Fatal(err)
	}
	if s := find(t, store, browser); !s.IsZero() {
		t.Error("found after its end")
	}
	if c := answer.Result().Cookies()[0]; c.MaxAge >= 0 || c.Value != "" {
		t.Errorf("the cookie stays: %v", c)
	}
}

func TestTheCookieIsOutOfReach(t *testing.T) {
	t.Parallel()
	store, _, _ := newStore(t)
	answer := httptest.NewRecorder()
	if _, err := store.Begin(t.Context(), answer, fresh(), session.Session{Person: uuid.New(), AuthTime: noon}); err != nil {
		t.Fatal(err)
	}
	c := answer.Result().Cookies()[0]
	if c.Name != "__Host-idp_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("got %v", c)
	}
}

// All of a person's sessions end, up to a moment; nobody else's do.
func TestEndAllEndsWhatAPersonBeganUpToAMoment(t *testing.T) {
	t.Parallel()
	store, _, _ := newStore(t)
	person := uuid.Must(uuid.NewV7())
	at := func(who uuid.UUID, when time.Time) *http.Request {
		_, browser := begin(t, store, fresh(), session.Session{Person: who, AuthTime: when})
		return browser
	}
	alive := map[*http.Request]bool{
		at(person, noon.Add(-time.Hour)):                  false,
		at(person, noon):                                  false,
		at(person, noon.Add(time.Microsecond)):            true,
		at(uuid.Must(uuid.NewV7()), noon.Add(-time.Hour)): true,
	}
	for range 2 { // a second time changes nothing
		if err := store.EndAll(t.Context(), person, noon); err != nil {
			t.Fatal(err)
		}
		for browser, want := range alive {
			if s := find(t, store, browser); s.IsZero() == want {
				t.Errorf("alive %t: %+v", want, s)
			}
		}
	}
}

// A person's sessions can be seen and ended from another one. To be seen is not to be used.
func TestSessionsAreListedAndEndedFromElsewhere(t *testing.T) {
	t.Parallel()
	store, client, now := newStore(t)
	person := uuid.Must(uuid.NewV7())
	first, away := begin(t, store, fresh(), session.Session{Person: person, AuthTime: noon.Add(-time.Hour), Agent: "Safari, iOS"})
	second, home := begin(t, store, fresh(), session.Session{Person: person, AuthTime: noon})
	_, other := begin(t, store, fresh(), session.Session{Person: uuid.Must(uuid.NewV7()), AuthTime: noon})
	for _, key := range client.Keys(t.Context(), "session:*").Val() {
		if err := client.Expire(t.Context(), key, 10*time.Minute).Err(); err != nil { // nobody has come for five minutes
			t.Fatal(err)
		}
	}
	list := func() []session.Open {
		t.Helper()
		open, err := store.List(t.Context(), person)
		if err != nil {
			t.Fatal(err)
		}
		return open
	}
	list()
	open := list()
	if len(open) != 2 || open[0].SID != second.SID || open[1].SID != first.SID || open[1].Agent != "Safari, iOS" {
		t.Fatalf("got %+v", open)
	}
	if idle := now.Sub(open[0].UsedAt); idle < 5*time.Minute || idle > 6*time.Minute {
		t.Errorf("used %s ago, want five minutes", idle)
	}
	if err := store.EndThese(t.Context(), person, first.SID, "another's"); err != nil {
		t.Fatal(err)
	}
	if !find(t, store, away).IsZero() || find(t, store, home).IsZero() || find(t, store, other).IsZero() {
		t.Error("the wrong session is over")
	}
	if open := list(); len(open) != 1 || open[0].SID != second.SID {
		t.Errorf("left: %+v", open)
	}
	*now = noon.Add(12 * time.Hour)
	if open := list(); len(open) != 0 {
		t.Errorf("past their time: %+v", open)
	}
}
