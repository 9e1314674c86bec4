package cmd_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/oauth2"
)

// Either program is killed while the cabinet reads an entry of the feed, and while an e-service takes a signal; the cabinet also in the middle of what it
// writes of the entry, of the person's page, and of the signal's being taken. Once it is there again every change is in the profile and in the journal
// once, in order, and the e-service has taken one signal of each: what it has taken but once the cabinet could not write that down comes once more, under
// the same name.
func TestAKillLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	behind := freeAddress(t)
	c.set("IDP_MANAGEMENT_LISTEN", listen(behind))
	c.set("CABINET_ALLOW_LOOPBACK_FETCH", "true")
	feed := newHoldup(t)
	c.front(behind, feed)
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.registerCabinet()
	metadata := c.eserviceMetadata()
	metadata["first_party"], metadata["redirect_uris"] = true, []string{c.issuer + "/nowhere"}
	metadata["grant_types"] = []string{"authorization_code", "refresh_token", "client_credentials"}
	metadata["scope"] = "openid offline_access cabinet.profile.read"
	service := c.register(metadata)
	private, jwks := newKey(t, "importer")
	importer := c.register(map[string]any{
		"client_name": "Importer", "grant_types": []string{"client_credentials"}, "response_types": []string{},
		"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks, "scope": "register:manage", "resources": []string{c.management},
	})
	programs := map[string]*program{"idp": c.serve("idp", c.issuer), "cabinet": c.serve("cabinet", c.cabinet)}
	addresses := map[string]string{"idp": c.issuer, "cabinet": c.cabinet}
	store, err := pgx.Connect(t.Context(), c.setting("CABINET_DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close(t.Context()) })

	// The citizen lets the e-service read the profile while they are away, and it asks to be told.
	home := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.cabinet+"/profile", c.cabinet+"/profile")
	rp := oauth2.Config{
		ClientID: service.ID, ClientSecret: service.Secret, RedirectURL: c.issuer + "/nowhere",
		Scopes:   []string{"openid", "offline_access", "cabinet.profile.read"},
		Endpoint: oauth2.Endpoint{AuthURL: c.issuer + "/authorize", TokenURL: c.issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	verifier := oauth2.GenerateVerifier()
	browser := &http.Client{Jar: home.Cookies(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Get(rp.AuthCodeURL("state-of-this-test", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	leads, err := res.Location()
	if err != nil {
		t.Fatalf("authorize answers %s: %v", res.Status, err)
	}
	if _, err := rp.Exchange(t.Context(), leads.Query().Get("code"), oauth2.VerifierOption(verifier)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cabinet knows who may read", func() error {
		var known bool
		err := store.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM reader WHERE client_id = $1)`, service.ID).Scan(&known)
		if err == nil && !known {
			err = errors.New("it does not")
		}
		return err
	})
	receiver := &receiver{at: newHoldup(t)}
	address := httptest.NewServer(receiver)
	t.Cleanup(address.Close)
	c.subscribe(service, address.URL)

	system := c.caller(importer.ID, c.file("importer.jwk", private), "register:manage")
	citizenships := []string{"BY"}
	const settled = `SELECT FROM subscriber FOR UPDATE`
	for n, kill := range []struct {
		program string
		at      interface {
			next()
			wait()
			release()
		}
		told int // signals by then
	}{
		{"cabinet", receiver.at, 1},
		{"idp", receiver.at, 2},
		{"cabinet", feed, 3},
		{"idp", feed, 4},
		{"cabinet", &lock{t: t, store: store, hold: `LOCK TABLE edition IN SHARE MODE`}, 5}, // the last that is written of an entry
		{"cabinet", &lock{t: t, store: store, hold: `LOCK TABLE signal IN SHARE MODE`}, 6},  // and of a page
		{"cabinet", &lock{t: t, store: store, hold: settled, from: receiver.at}, 8},
	} {
		citizenships = append(citizenships, []string{"PL", "BY"}[n%2])
		kill.at.next()
		system.post("/register/events", http.StatusCreated, map[string]any{
			"id": fmt.Sprint("kill-", n), "at": time.Now().Add(-time.Hour + time.Duration(n)*time.Minute).Format(time.RFC3339), "person": map[string]any{
				"identification_number": citizenNumber, "sex": "F", "birth_date": "1899-12", "citizenship": citizenships[n+1],
			},
		})
		kill.at.wait()
		programs[kill.program].kill()
		kill.at.release()
		programs[kill.program] = c.serve(kill.program, addresses[kill.program])
		patiently(t, time.Minute, fmt.Sprint("change ", n, " is told"), func() error { // a call that nobody ended is another's after half a minute
			if told := len(receiver.signals()); told != kill.told {
				return fmt.Errorf("%d signals came", told)
			}
			return nil
		})
		const find = `
			SELECT citizenship, (SELECT string_agg(detail->>'new', ' ' ORDER BY id) FROM journal WHERE journal.person_id = cabinet.person_id AND kind = 'profile.changed')
			FROM cabinet WHERE identification_number = $1`
		var now, journal string
		if err := store.QueryRow(t.Context(), find, citizenNumber).Scan(&now, &journal); err != nil {
			t.Fatal(err)
		}
		if want := strings.Join(citizenships[1:], " "); now != citizenships[n+1] || journal != want {
			t.Errorf("%s was killed: the profile says %s, the journal %s; want %s", kill.program, now, journal, want)
		}
	}
	var signals []string
	rows, _ := store.Query(t.Context(), `SELECT id::text FROM signal WHERE client_id = $1 ORDER BY place`, service.ID)
	if signals, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	if got, want := receiver.signals(), append(signals, signals[len(signals)-1]); !slices.Equal(got, want) {
		t.Errorf("the e-service was told %s, and there are %s, the last of them told twice", got, signals)
	}
}

// A lock is held in a database until somebody waits for it.
type lock struct {
	t     *testing.T
	store *pgx.Conn
	hold  string  // the statement that takes it
	from  *holdup // it is taken once somebody has come there, who then goes on; nil: at once
	tx    pgx.Tx
}

func (l *lock) next() {
	if l.from != nil {
		l.from.next()
		return
	}
	l.take()
}

func (l *lock) take() {
	l.t.Helper()
	var err error
	if l.tx, err = l.store.Begin(l.t.Context()); err == nil {
		_, err = l.tx.Exec(l.t.Context(), l.hold)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// wait returns once somebody waits for it.
func (l *lock) wait() {
	l.t.Helper()
	if l.from != nil {
		l.from.wait()
		l.take()
		l.from.release()
	}
	eventually(l.t, "somebody waits for "+l.hold, func() error {
		var waits bool
		const find = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`
		err := l.tx.QueryRow(l.t.Context(), find).Scan(&waits)
		if err == nil && !waits {
			err = errors.New("nobody does")
		}
		return err
	})
}

// release ends with the program what it waited for: the database has the statement whole, and would go on with it.
func (l *lock) release() {
	const end = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	_, err := l.tx.Exec(l.t.Context(), end)
	if err = errors.Join(err, l.tx.Rollback(l.t.Context())); err != nil {
		l.t.Error(err)
	}
}

// subscribe has an e-service told at an address, as it asks by its own token.
func (c *country) subscribe(client credentials, address string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPut, c.cabinet+"/api/v1/subscription", strings.NewReader(fmt.Sprintf(`{"url":%q}`, address)))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.ownToken(client, "cabinet.profile.read"))
	var answer map[string]any
	if status := exchange(c.t, r, &answer); status != http.StatusOK {
		c.t.Fatalf("subscribe: %d %v", status, answer)
	}
}

// ownToken is one that a client with a secret is given for itself (RFC 6749 §4.4).
func (c *country) ownToken(client credentials, scope string) string {
	c.t.Helper()
	asked := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.issuer+"/token", strings.NewReader(asked.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client.ID, client.Secret)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if status := exchange(c.t, r, &token); status != http.StatusOK {
		c.t.Fatalf("client credentials: %d", status)
	}
	return token.AccessToken
}

// A holdup is a place at which the next to come is held up until it is let go on.
type holdup struct {
	t       *testing.T
	mu      sync.Mutex
	armed   bool          // under mu
	came    chan struct{} // under mu; closed when the next has come
	letting chan struct{} // under mu; closed when it may go on
}

func newHoldup(t *testing.T) *holdup { return &holdup{t: t} }

// next holds up the next to come.
func (h *holdup) next() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.armed, h.came, h.letting = true, make(chan struct{}), make(chan struct{})
}

// come holds up whoever is next, and tells whether that was so.
func (h *holdup) come() bool {
	h.mu.Lock()
	armed, came, letting := h.armed, h.came, h.letting
	h.armed = false
	h.mu.Unlock()
	if armed {
		close(came)
		<-letting
	}
	return armed
}

// wait returns once the next has come.
func (h *holdup) wait() {
	h.t.Helper()
	select {
	case <-h.came:
	case <-time.After(20 * time.Second):
		close(h.letting)
		h.t.Fatal("nothing came")
	}
}

func (h *holdup) release() { close(h.letting) }

// A receiver takes signals as an e-service does.
type receiver struct {
	at   *holdup
	mu   sync.Mutex
	jtis []string // under mu, in the order in which they came, of those of whose taking the cabinet could hear
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	var claims struct {
		ID string `json:"jti"`
	}
	if parts := strings.Split(string(body), "."); len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims)
	}
	if r.at.come() {
		select {
		case <-req.Context().Done():
			return
		case <-time.After(time.Second): // the cabinet lives
		}
	}
	r.mu.Lock()
	r.jtis = append(r.jtis, claims.ID)
	r.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

func (r *receiver) signals() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.jtis)
}

// front stands where the provider's management is reached. What is held up of the feed breaks off in the middle of an answer in which there is something.
func (c *country) front(behind string, feed *holdup) {
	c.t.Helper()
	to, err := url.Parse(behind)
	if err != nil {
		c.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.FlushInterval = -1
	proxy.ModifyResponse = func(res *http.Response) error {
		if res.Request.URL.Path != "/changes" || res.StatusCode != http.StatusOK {
			return nil
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte("person.changed")) {
			res.Body = &half{Reader: bytes.NewReader(body[:len(body)/2]), rest: body[len(body)/2:], feed: feed}
		}
		return nil
	}
	listener, err := net.Listen("tcp", listen(c.management))
	if err != nil {
		c.t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: proxy}}
	server.Start()
	c.t.Cleanup(server.Close)
}

// A half of an answer is read, and then what is left of it, unless it was held up there: then it is broken off.
type half struct {
	*bytes.Reader
	rest []byte
	feed *holdup
}

func (h *half) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if !errors.Is(err, io.EOF) || h.rest == nil {
		return n, err
	}
	if h.feed.come() {
		return 0, io.ErrUnexpectedEOF
	}
	h.Reader, h.rest = bytes.NewReader(h.rest), nil
	return h.Reader.Read(p)
}

func (h *half) Close() error { return nil }
