package dashboard_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/dashboard"
	"asoba.example/provider/fetch"
	"asoba.example/provider/grant"
	"asoba.example/provider/page/pagetest"
	"asoba.example/provider/seal"
	"asoba.example/provider/session"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

func hour() time.Duration { return time.Hour }

// people are accounts that read how a person stands from the database.
type people struct{ provider.Accounts }

func (people) Standing(b *pgx.Batch, person uuid.UUID, to *provider.Standing) {
	const standing = `SELECT person_id, state = 'active' FROM identity WHERE person_id = $1`
	b.Queue(standing, person).QueryRow(func(row pgx.Row) error { return row.Scan(&to.Person, &to.Active) })
}

// A world is the doors, a body, and browsers of those who represent it.
type world struct {
	t        *testing.T
	pool     *pgxpool.Pool
	registry *clients.Registry
	bodies   *body.Bodies
	sessions *session.Store
	server   *httptest.Server
	office   body.Body
}

// nobody is of the operator's staff here.
func nobody(context.Context, pgx.Tx, uuid.UUID) (bool, error) { return false, nil }

func newWorld(t *testing.T) *world {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	redis := redistest.New(t)
	w := &world{t: t, pool: pgtest.New(t)}
	var err error
	w.registry, err = clients.New(t.Context(), clients.Config{
		Pool: w.pool, Back: w.pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{}), Sectors: fetch.New(fetch.Config{}), Now: now,
	})
	must(err)
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	must(err)
	w.bodies = body.New(body.Config{Pool: w.pool, Clients: w.registry, Jobs: jobs, Denials: grant.NewDenials(w.pool, redis, time.Minute, now), Judges: nobody})
	w.office, err = w.bodies.Add(t.Context(), clients.Texts{"": "Налоговая"}, clients.By{At: noon})
	must(err)
	w.sessions = session.New(session.Config{Redis: redis, Idle: hour, Total: hour, Now: now})
	box, err := seal.Open(t.Context(), w.pool, make([]byte, seal.MasterKeySize), noon)
	must(err)
	interactions, err := provider.NewInteractions(provider.InteractionsConfig{Redis: redis, Box: box, For: time.Hour, Now: now})
	must(err)
	site, err := pagetest.Site(t, provider.Room(), dashboard.Room()).Keeping(redis, box, now)
	must(err)
	doors, err := dashboard.New(dashboard.Config{
		Issuer: "https://id.example", Site: site,
		Interactions: interactions, Accounts: people{}, Sessions: w.sessions, Clients: w.registry, Bodies: w.bodies, Feed: audit.NewFeed(w.pool, w.pool), Pool: w.pool, Now: now,
	})
	must(err)
	mux := http.NewServeMux()
	doors.Mount(mux)
	w.server = httptest.NewServer(site.Over(mux))
	t.Cleanup(w.server.Close)
	return w
}

// A visitor is a person with a browser, signed in.
type visitor struct {
	w      *world
	id     uuid.UUID
	client *http.Client
}

func (w *world) visitor(number, acr string, represents bool) visitor {
	w.t.Helper()
	v := visitor{w, uuid.Must(uuid.NewV7()), &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, sql := range []string{
		`INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, $2, 'F', '1856', 'BY', 1)`,
		`INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at) VALUES ($1, 'active', '\x00', convert_to($2, 'UTF8'), now(), now())`,
	} {
		if _, err := w.pool.Exec(w.t.Context(), sql, v.id, number); err != nil {
			w.t.Fatal(err)
		}
	}
	if represents {
		if err := w.bodies.Name(w.t.Context(), w.office.ID, v.id, clients.By{At: noon}); err != nil {
			w.t.Fatal(err)
		}
	}
	signedIn := httptest.NewRecorder()
	s := session.Session{SID: session.NewSID(), Person: v.id, AuthTime: noon, ACR: acr, AMR: []string{"pwd"}}
	if _, err := w.sessions.Begin(w.t.Context(), signedIn, httptest.NewRequest(http.MethodGet, "/", nil), s); err != nil {
		w.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	at, err := url.Parse(w.server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	jar.SetCookies(at, signedIn.Result().Cookies())
	v.client.Jar = jar
	return v
}

// send asks for a page, or sends a form, and gives where it leads and what it says.
func (v visitor) send(path string, form url.Values) (status int, to, text string) {
	v.w.t.Helper()
	method, sent := http.MethodGet, ""
	if form != nil {
		method, sent = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(v.w.t.Context(), method, v.w.server.URL+path, strings.NewReader(sent))
	if err != nil {
		v.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	answer, err := v.client.Do(r)
	if err != nil {
		v.w.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		v.w.t.Fatal(err)
	}
	to = answer.Header.Get("Location")
	if form != nil && strings.Contains(answer.Header.Get("Set-Cookie"), "_answer_") { // what answers it is there
		status, _, text = v.send(to, nil)
		return status, "", text
	}
	return answer.StatusCode, to, html.UnescapeString(string(raw))
}

// Whoever is signed in by a password alone signs in by more first, whatever they ask for, and nothing of it has happened.
func TestTheDashboardWantsMoreThanAPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	weak := w.visitor("3080356A001PB5", api.Low, true)
	for path, form := range map[string]url.Values{
		"/e-services":     nil,
		"/e-services/new": {"body": {w.office.ID.String()}, "name": {"Portal"}, "redirect_uris": {"https://portal.example/cb"}, "method": {"none"}},
	} {
		if status, to, _ := weak.send(path, form); status != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in?interaction=") {
			t.Errorf("%s: got %d to %s", path, status, to)
		}
	}
	if owned, err := w.registry.Owned(t.Context(), w.office.ID); err != nil || len(owned) != 0 {
		t.Errorf("%d are registered, %v", len(owned), err)
	}
	strong := w.visitor("1010130K001PB9", api.Substantial, true)
	if status, _, text := strong.send("/e-services", nil); status != http.StatusOK || !strings.Contains(text, "Налоговая") {
		t.Errorf("got %d %s", status, text)
	}
	if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET state = 'blocked', block_reason = 'self' WHERE person_id = $1`, strong.id); err != nil {
		t.Fatal(err)
	}
	if status, to, _ := strong.send("/e-services", nil); status != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("somebody blocked: got %d to %s", status, to)
	}
}

// A form that is wrong comes back as it was filled in, with what is wrong beside its field; one that is right keeps what it does not show.
func TestAFormSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.visitor("3080356A001PB5", api.Substantial, true)
	right := func(changes ...string) url.Values {
		form := url.Values{"body": {w.office.ID.String()}, "name": {"Portal"}, "redirect_uris": {"https://portal.example/cb"}, "scope": {"phone"}, "method": {"client_secret_basic"}}
		for i := 0; i < len(changes); i += 2 {
			form.Set(changes[i], changes[i+1])
		}
		return form
	}
	for name, test := range map[string]struct {
		form   url.Values
		fields []string
	}{
		"no name":             {right("name", " "), []string{"name"}},
		"a name too long":     {right("name", strings.Repeat("я", 501)), []string{"name"}},
		"a turned purpose":    {right("purpose", "a\u202eb"), []string{"purpose"}},
		"no address":          {right("redirect_uris", ""), []string{"redirect_uris"}},
		"an address in clear": {right("redirect_uris", "http://portal.example/cb"), []string{"redirect_uris"}},
		"no keys":             {right("method", "private_key_jwt"), []string{"jwks_uri"}},
		"keys in clear":       {right("method", "private_key_jwt", "jwks_uri", "http://portal.example/keys"), []string{"jwks_uri"}},
		"no such method":      {right("method", "password"), nil},
		"nothing":             {right("name", "", "redirect_uris", ""), []string{"name", "redirect_uris"}},
		"all of it":           {right("name", "a\u202eb", "purpose", "a\u202eb", "redirect_uris", "cb", "method", "private_key_jwt"), []string{"name", "purpose", "redirect_uris", "jwks_uri"}},
	} {
		status, _, text := anna.send("/e-services/new?body="+w.office.ID.String(), test.form)
		var fields []string
		for _, found := range regexp.MustCompile(`<li><a href="#(\w+)"`).FindAllStringSubmatch(text, -1) {
			fields = append(fields, found[1])
		}
		if status != http.StatusUnprocessableEntity || !slices.Equal(fields, test.fields) {
			t.Errorf("%s: got %d with %q wrong, want %q\n%s", name, status, fields, test.fields, text)
		}
		for _, typed := range append(test.form["redirect_uris"], `value="phone" checked`, `value="`+strings.TrimSpace(test.form.Get("name"))+`"`) {
			if !strings.Contains(text, typed) && typed != `value=""` {
				t.Errorf("%s: the form has lost %s\n%s", name, typed, text)
			}
		}
		pagetest.Sound(t, []byte(text))
	}
	if status, _, text := anna.send("/e-services/new", right("body", uuid.NewString())); status != http.StatusNotFound {
		t.Errorf("for another body: got %d %s", status, text)
	}
	status, _, text := anna.send("/e-services/new", right("redirect_uris", "https://portal.example/cb\r\nhttps://portal.example/other"))
	found := regexp.MustCompile(`href="/e-services/(\w+)"`).FindStringSubmatch(text)
	if status != http.StatusOK || found == nil || !strings.Contains(text, "idp_secret_") {
		t.Fatalf("got %d %s", status, text)
	}
	id := found[1]
	given := clients.Metadata{
		ClientName: clients.Texts{"": "Portal", "en": "The portal"}, RedirectURIs: []string{"https://portal.example/cb"}, Scope: "openid cabinet.profile.read",
		BackchannelLogoutURI: "https://portal.example/out", Basis: clients.BasisOfficial,
	}
	if _, _, err := w.registry.Replace(t.Context(), id, clients.Any, given, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	form := right("name", "New", "version", "2")
	form["scope"] = []string{"profile", "offline_access", "clients:manage"}
	if status, to, text := anna.send("/e-services/"+id+"/change", form); status != http.StatusSeeOther || to != "/e-services/"+id+"?changed" {
		t.Fatalf("got %d to %s %s", status, to, text)
	}
	if status, _, text := anna.send("/e-services/"+id+"/change", form); status != http.StatusConflict { // that version is over
		t.Errorf("over what was not seen: got %d %s", status, text)
	}
	if status, _, text := anna.send("/e-services/"+id+"/live", url.Values{}); status != http.StatusConflict {
		t.Errorf("without a word of what was seen: got %d %s", status, text)
	}
	c, err := w.registry.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Metadata; m.Scope != "openid profile offline_access cabinet.profile.read" || m.ClientName["en"] != "The portal" || m.ClientName[""] != "New" ||
		m.BackchannelLogoutURI == "" || m.Basis != clients.BasisOfficial || strings.Join(m.GrantTypes, " ") != "authorization_code refresh_token" {
		t.Errorf("got %+v", m)
	}
	for path, form := range map[string]url.Values{
		"/e-services/" + id + "/proposals/one":                     {"decision": {"approve"}},
		"/e-services/" + id + "/proposals/" + uuid.NewString():     {"decision": {"withdraw"}},
		"/e-services/nobody/live":                                  {},
		"/e-services/" + id + "x/secret":                           {},
		"/e-services/new?body=" + url.QueryEscape("not an id; OR"): nil,
	} {
		if status, _, _ := anna.send(path, form); status != http.StatusNotFound {
			t.Errorf("%s: got %d", path, status)
		}
	}
	if status, _, _ := anna.send("/e-services/"+id+"/proposals/"+uuid.NewString(), url.Values{"decision": {"perhaps"}}); status != http.StatusBadRequest {
		t.Errorf("no decision: got %d", status)
	}
	stranger := w.visitor("1010130K001PB9", api.Substantial, false)
	for _, path := range []string{"/e-services/" + id, "/e-services/" + id + "/change"} {
		if status, _, text := stranger.send(path, nil); status != http.StatusNotFound || strings.Contains(text, "Portal") {
			t.Errorf("a stranger at %s: got %d %s", path, status, text)
		}
	}
}
