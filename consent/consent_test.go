package consent_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/consent"
	"asoba.example/consent/agreement"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/grant"
	"asoba.example/provider/page/pagetest"
	"asoba.example/provider/seal"
	"asoba.example/provider/session"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// people are accounts that read how a person stands from the database, and know one person's claims.
type people struct{ provider.Accounts }

func (people) Standing(b *pgx.Batch, person uuid.UUID, to *provider.Standing) {
	const standing = `
		SELECT id, identification_number, state = 'active', coalesce(ended.at, 'epoch')
		FROM person JOIN identity ON identity.person_id = id LEFT JOIN ended ON ended.person_id = id WHERE id = $1`
	b.Queue(standing, person).QueryRow(func(row pgx.Row) error {
		return row.Scan(&to.Person, &to.Identifier, &to.Active, &to.Ended)
	})
}

func (people) Claims(b *pgx.Batch, _ uuid.UUID, scopes []string, to *map[string]any) {
	all := map[string]map[string]any{
		"profile": {"family_name": "Иванова", "given_name": "Анна", "middle_name": "Петровна", "gender": "female", "birthdate": "1956-03-08"},
		"phone":   {"phone_number": "+375291234567", "phone_number_verified": true},
	}
	*to = map[string]any{}
	for _, scope := range scopes {
		for claim, value := range all[scope] {
			(*to)[claim] = value
		}
	}
}

// A world is a browser at which somebody signed in at noon, and a request of the portal's that waits for consent.
type world struct {
	pool         *pgxpool.Pool
	registry     *clients.Registry
	sessions     *session.Store
	interactions *provider.Interactions
	agreements   *agreement.Agreements
	person       uuid.UUID
	server       *httptest.Server
	browser      *http.Client
	waiting      provider.Interaction
}

func newWorld(t *testing.T) *world {
	t.Helper()
	now := func() time.Time { return noon.Add(time.Minute) }
	redis := redistest.New(t)
	w := &world{pool: pgtest.New(t), person: uuid.Must(uuid.NewV7())}
	w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES ($1, '3080356A001PB5', 'F', '1956-03-08', 'BY', 1)`, w.person)
	w.exec(t, `INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at)
		VALUES ($1, 'active', '\x00', '\x00', now(), now())`, w.person)
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if w.registry, err = clients.New(t.Context(), clients.Config{Pool: w.pool, Back: w.pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{AllowLoopback: true}), Now: now}); err != nil {
		t.Fatal(err)
	}
	for id, metadata := range map[string]clients.Metadata{
		"portal": {
			ClientName: clients.Texts{"": "Портал", "be": "Партал", "en": "Portal"},
			Purpose:    clients.Texts{"": "Чтобы записать вас к врачу"},
		},
		"ministry": {
			ClientName: clients.Texts{"": "Министерство"}, Basis: clients.BasisOfficial,
			LegalBasis: clients.Texts{"": "Закон о здравоохранении, статья 44"},
		},
	} {
		metadata.RedirectURIs = []string{"https://portal.example:444/cb?x=1"}
		if _, _, err := w.registry.Register(t.Context(), id, metadata, clients.By{At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	w.sessions = session.New(session.Config{Redis: redis, Idle: func() time.Duration { return time.Hour }, Total: func() time.Duration { return time.Hour }, Now: now})
	box, err := seal.Open(t.Context(), w.pool, make([]byte, seal.MasterKeySize), noon)
	if err != nil {
		t.Fatal(err)
	}
	w.interactions, err = provider.NewInteractions(provider.InteractionsConfig{Redis: redis, Box: box, For: time.Hour, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	w.agreements, err = agreement.New(agreement.Config{
		Pool: w.pool, Jobs: jobs, Denials: grant.NewDenials(w.pool, redis, time.Minute, now), For: func() time.Duration { return 365 * 24 * time.Hour },
	})
	if err != nil {
		t.Fatal(err)
	}
	site, err := pagetest.Site(t, provider.Room(), consent.Room()).Keeping(redis, box, now)
	if err != nil {
		t.Fatal(err)
	}
	doors, err := consent.New(consent.Config{
		Site: site, Interactions: w.interactions, Accounts: people{}, Sessions: w.sessions,
		Clients: w.registry, Agreements: w.agreements, Pool: w.pool, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	doors.Mount(mux)
	// What the journey before and after these pages does to the browser.
	mux.Handle("GET /begin/{client}", site.Handle(func(rw http.ResponseWriter, r *http.Request) error {
		w.waiting, err = w.interactions.Begin(r.Context(), rw, r, provider.Interaction{
			ClientID: r.PathValue("client"),
			Claims:   grant.Claims{UserInfo: []string{"phone_number"}}, // asked for by name, like a scope
			Request: url.Values{
				"scope": {"openid profile cabinet.profile.read"}, "redirect_uri": {"https://portal.example:444/cb?x=1"},
			},
		})
		return err
	}))
	mux.Handle("GET /sign-in", site.Handle(func(rw http.ResponseWriter, r *http.Request) error {
		_, err := w.sessions.Begin(r.Context(), rw, r, session.Session{Person: w.person, AuthTime: noon, ACR: "low"})
		return err
	}))
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (w *world) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	return w.do(t, http.MethodGet, path, nil)
}

func (w *world) do(t *testing.T, method, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := w.browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// asked brings the browser, signed in, to the page of a client's request.
func (w *world) asked(t *testing.T, client string) (response *http.Response, body, sid string) {
	t.Helper()
	w.get(t, "/sign-in")
	w.get(t, "/begin/"+client)
	response, body = w.get(t, w.waiting.At("/consent"))
	_, sid, _ = strings.Cut(body, `name="sid" value="`)
	sid, _, _ = strings.Cut(sid, `"`)
	return response, body, sid
}

// after gives what the page has left behind.
func (w *world) after(t *testing.T) (agreed []string, refused bool, agreements int) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, w.waiting.At("/consent"), nil)
	at, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range w.browser.Jar.Cookies(at) {
		r.AddCookie(c)
	}
	i, err := w.interactions.Find(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.agreements.List(t.Context(), w.person, noon)
	if err != nil {
		t.Fatal(err)
	}
	return i.Agreed, i.Refused, len(list)
}

func redirectsTo(t *testing.T, r *http.Response, want string) {
	t.Helper()
	if got := r.Header.Get("Location"); r.StatusCode != http.StatusSeeOther || got != want {
		t.Errorf("answered %d to %q, want 303 to %q", r.StatusCode, got, want)
	}
}

func TestThePageShowsWhoAsksForWhat(t *testing.T) {
	t.Parallel()
	for client, says := range map[string][]string{
		"portal":   {"Портал", "Чтобы записать вас к врачу", "Ваше согласие", "22 ноября 2027 года", "Мои согласия"},
		"ministry": {"Министерство", "Закон о здравоохранении, статья 44", "согласия не спрашивают"},
	} {
		w := newWorld(t)
		response, body, _ := w.asked(t, client)
		for _, text := range append(says, "3080356A001PB5", "Иванова", "Петровна", "8 марта 1956 года", "женский", "+375291234567", "видеть профиль") {
			if !strings.Contains(html.UnescapeString(body), text) {
				t.Errorf("%s: the page does not say %q", client, text)
			}
		}
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy+";", "form-action 'self' https://portal.example:444;") {
			t.Errorf("%s: the browser would not follow the form back to the client: %s", client, policy)
		}
		if allow, deny := strings.Index(body, `value="allow"`), strings.Index(body, `value="deny"`); allow < 0 || deny < allow {
			t.Errorf("%s: the choice is not allow, then deny", client)
		}
		pagetest.Sound(t, []byte(body))
	}
}

func TestAnAnswerIsKeptAndTheRequestGoesOn(t *testing.T) {
	t.Parallel()
	scopes := []string{"openid", "profile", "cabinet.profile.read", "phone"}
	for _, client := range []string{"portal", "ministry"} {
		t.Run(client+" is allowed", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, _, sid := w.asked(t, client)
			response, _ := w.do(t, http.MethodPost, w.waiting.At("/consent"), url.Values{"sid": {sid}, "decision": {"allow"}})
			redirectsTo(t, response, w.waiting.Continue())
			if agreed, refused, n := w.after(t); !slices.Equal(agreed, scopes) || refused || n != 1 {
				t.Errorf("agreed to %v, refused %t, %d agreements", agreed, refused, n)
			}
			var covered bool
			b := new(pgx.Batch)
			asked, err := w.registry.Find(t.Context(), client)
			if err != nil {
				t.Fatal(err)
			}
			w.agreements.Covers(b, w.person, asked, scopes, noon, &covered)
			if err := w.pool.SendBatch(t.Context(), b).Close(); err != nil || !covered {
				t.Errorf("the agreement covers the request: %t, %v", covered, err)
			}
		})
		t.Run(client+" is refused", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, _, sid := w.asked(t, client)
			response, _ := w.do(t, http.MethodPost, w.waiting.At("/consent"), url.Values{"sid": {sid}, "decision": {"deny"}})
			redirectsTo(t, response, w.waiting.Continue())
			if agreed, refused, n := w.after(t); agreed != nil || !refused || n != 0 {
				t.Errorf("agreed to %v, refused %t, %d agreements", agreed, refused, n)
			}
		})
	}
}

// Nobody agrees by a page that they have not seen, or with a sign-in that is worth nothing.
func TestOnlyWhoSawThePageAgrees(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		before   func(t *testing.T, w *world)
		decision string
		to       string // "" for on to the authorization endpoint
	}{
		{"somebody else has signed in since", func(t *testing.T, w *world) { w.get(t, "/sign-in") }, "allow", "/consent"},
		{"nothing was chosen", func(*testing.T, *world) {}, "", "/consent"},
		{"the identifier was blocked", func(t *testing.T, w *world) {
			w.exec(t, `UPDATE identity SET state = 'blocked', block_reason = 'self'`)
		}, "allow", ""},
		{"the sign-in was ended", func(t *testing.T, w *world) {
			w.exec(t, `INSERT INTO ended (person_id, at, why) VALUES ($1, $2, 'password')`, w.person, noon)
		}, "allow", ""},
		{"the client was taken out of use", func(t *testing.T, w *world) {
			if err := w.registry.Remove(t.Context(), "portal", clients.Any, clients.By{At: noon}); err != nil {
				t.Fatal(err)
			}
		}, "allow", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, _, sid := w.asked(t, "portal")
			row.before(t, w)
			response, _ := w.do(t, http.MethodPost, w.waiting.At("/consent"), url.Values{"sid": {sid}, "decision": {row.decision}})
			if row.to == "" {
				redirectsTo(t, response, w.waiting.Continue())
			} else {
				redirectsTo(t, response, w.waiting.At(row.to))
			}
			if agreed, refused, n := w.after(t); agreed != nil || refused || n != 0 {
				t.Errorf("agreed to %v, refused %t, %d agreements", agreed, refused, n)
			}
		})
	}
}

func TestAgreementsAreListedAndTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if response, _ := w.get(t, "/agreements"); !strings.HasPrefix(response.Header.Get("Location"), "/sign-in?interaction=") {
		t.Errorf("somebody unknown is sent to %q, want to the sign-in", response.Header.Get("Location"))
	}
	for _, client := range []string{"portal", "ministry"} {
		_, _, sid := w.asked(t, client)
		w.do(t, http.MethodPost, w.waiting.At("/consent"), url.Values{"sid": {sid}, "decision": {"allow"}})
	}
	_, body := w.get(t, "/agreements")
	pagetest.Sound(t, []byte(body))
	if !strings.Contains(body, "Портал") || !strings.Contains(body, "Министерство") || strings.Count(body, "<form") != 1 {
		t.Errorf("the page does not list two, one of them to take back:\n%s", body)
	}
	for _, client := range []string{"portal", "ministry"} {
		response, _ := w.do(t, http.MethodPost, "/agreements", url.Values{"client_id": {client}})
		redirectsTo(t, response, "/agreements?withdrawn")
	}
	_, body = w.get(t, "/agreements?withdrawn")
	if strings.Contains(body, "Портал") || !strings.Contains(body, "Министерство") || !strings.Contains(body, "Согласие отозвано") {
		t.Errorf("the page does not show that only the consent was taken back:\n%s", body)
	}
}

func TestEveryWordIsSaidAndUsed(t *testing.T) { pagetest.Words(t, ".") }
