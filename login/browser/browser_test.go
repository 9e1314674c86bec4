package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/browser"
	"asoba.example/migrations/pgtest"
)

// person puts somebody into the register.
func person(t *testing.T, pool *pgxpool.Pool, number string) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	const insert = `
		INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES ($1, $2, 'F', '1890', 'BY', 1)`
	if _, err := pool.Exec(t.Context(), insert, id, number); err != nil {
		t.Fatal(err)
	}
	return id
}

// A browser is known to those who signed in from it, while they come back in time.
func TestKnown(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	at := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	b := &browser.Browsers{Pool: pool, Secure: true, For: func() time.Duration { return 180 * 24 * time.Hour }, Now: func() time.Time { return at }}
	anna, boris := person(t, pool, "0000000A000PB2"), person(t, pool, "7000000A000PB1")

	var jar []*http.Cookie // the browser's
	request := func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/sign-in", nil)
		for _, c := range jar {
			r.AddCookie(c)
		}
		return r
	}
	knows := func(who uuid.UUID, want bool) {
		t.Helper()
		got, err := b.Known(t.Context(), request(), who)
		if err != nil || got != want {
			t.Fatalf("known: %t, %v; want %t", got, err, want)
		}
	}
	remember := func(who uuid.UUID) {
		t.Helper()
		w := httptest.NewRecorder()
		if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, _, err := b.Remember(t.Context(), tx, w, request(), who, nil)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		jar = w.Result().Cookies()
		if c := jar[0]; c.Name != "__Host-idp_browser" || !c.Secure || !c.HttpOnly || c.Path != "/" {
			t.Fatalf("cookie %v", c)
		}
	}

	knows(anna, false)
	remember(anna)
	knows(anna, true)
	knows(boris, false)
	noted := jar
	remember(boris)
	knows(anna, true) // the second of the family makes it a stranger to nobody
	knows(boris, true)
	carried := jar
	remember(boris)
	knows(anna, true)
	jar = noted
	knows(boris, false) // who has noted down what the browser carried before
	jar = carried

	at = at.Add(100 * 24 * time.Hour)
	remember(anna)
	at = at.Add(100 * 24 * time.Hour)
	knows(anna, true)
	knows(boris, false)

	if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return b.Forget(context.Background(), tx, anna) }); err != nil {
		t.Fatal(err)
	}
	knows(anna, false)
	jar[0].Value = "forged"
	knows(anna, false)
}

// Of one person only so many are known at once: the one that signs in is always among them, and the one not seen for longest is forgotten.
func TestSoManyAreKnownAtOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	at := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	b := &browser.Browsers{Pool: pool, For: func() time.Duration { return 180 * 24 * time.Hour }, Now: func() time.Time { return at }}
	anna := person(t, pool, "0000000A000PB2")
	remember := func(r *http.Request) {
		t.Helper()
		w := httptest.NewRecorder()
		if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, _, err := b.Remember(t.Context(), tx, w, r, anna, nil)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", w.Result().Cookies()[0].String())
	}
	const most = 30
	var all []*http.Request
	for range most {
		all = append(all, httptest.NewRequest(http.MethodGet, "/sign-in", nil))
		remember(all[len(all)-1])
		at = at.Add(time.Minute)
	}
	remember(all[0]) // it is the latest now
	late := httptest.NewRequest(http.MethodGet, "/sign-in", nil)
	remember(late)
	for n, r := range append(all, late) {
		known, err := b.Known(t.Context(), r, anna)
		if want := n != 1; err != nil || known != want {
			t.Errorf("browser %d is known: %t, %v, want %t", n, known, err, want)
		}
	}
}

// At a computer that everybody uses a browser is known to those who signed in last; what it carries does not grow without end, and the table
// tells of no two that they were at the same one.
func TestABrowserCarriesTheTokensOfSoMany(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := &browser.Browsers{Pool: pool, For: func() time.Duration { return time.Hour }, Now: time.Now}
	r := httptest.NewRequest(http.MethodGet, "/sign-in", nil)
	signIn := func(who uuid.UUID) {
		t.Helper()
		w := httptest.NewRecorder()
		if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, _, err := b.Remember(t.Context(), tx, w, r, who, nil)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", w.Result().Cookies()[0].String())
	}
	const family = 8
	var people []uuid.UUID
	for n := range family + 1 {
		who := person(t, pool, fmt.Sprintf("%d000000A000PB0", n))
		people = append(people, who)
		signIn(who)
		signIn(people[0]) // every day
	}
	for n, who := range people {
		known, err := b.Known(t.Context(), r, who)
		if want := n != 1; err != nil || known != want {
			t.Errorf("to person %d the browser is known: %t, %v, want %t", n, known, err, want)
		}
	}
	var rows, digests int
	err := pool.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT token_hash) FROM known_browser`).Scan(&rows, &digests)
	if err != nil || rows != family+1 || digests != rows {
		t.Fatalf("%d rows with %d digests, %v", rows, digests, err)
	}
}

func TestAgent(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                     "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                            "Chrome, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 YaBrowser/25.8.0.0 Safari/537.36":         "Yandex Browser, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":              "Edge, Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                      "Safari, macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":    "Safari, iOS",
		"Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet, Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                             "Chrome, ChromeOS",
		"curl/8.14.1":               "",
		"Ivan Ivanov's own Linux":   "Linux",
		"":                          "",
		"<script>alert(1)</script>": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", header)
		if got := browser.Agent(r); got != want {
			t.Errorf("Agent(%q) = %q, want %q", header, got, want)
		}
	}
}
