package cabinet

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/issuer/issuertest"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/api"
	"asoba.example/provider/api/prooftest"
)

// Through every door that openapi.json describes go those whom it names, each to their own, and nobody else. Whoever is refused hears which
// refusal it is (RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3) and no more; nothing is written, and one line and one count are left. A new
// operation is held to this by standing in the document. The doors hold without the wall behind them.
func TestNobodyIsLetInBeyondTheDocument(t *testing.T) {
	t.Parallel()
	o := observe(t)
	o.stock(t)
	o.unwall(t)
	const blocked, dead, other, former, nobody = "1000000A000PB0", "2000000A000PB0", "3000000A000PB0", "4000000A000PB0", "7000000A000PB1"
	over := uuid.MustParse("018f0000-0000-7000-8000-0000000000bb")
	o.write(t, func(ctx context.Context, tx pgx.Tx) error {
		var people []profile.Person
		for i, number := range []string{blocked, dead, other, former} {
			people = append(people, profile.Person{ID: uuid.UUID{15: byte(i + 1)}, Number: number, Sex: "M", BirthDate: "1990", Citizenship: "BY"})
		}
		people[1].Gone = profile.DeclaredDead
		if err := profile.Apply(ctx, tx, people, noon.Add(-48*time.Hour)); err != nil {
			return err
		}
		ended := []access.Ended{{ID: people[0].ID, At: noon}, {ID: over, At: noon}}
		if err := access.End(ctx, tx, ended, noon.Add(-time.Hour)); err != nil {
			return err
		}
		return access.Disable(ctx, tx, []access.Disabled{{ClientID: "disabled", Now: true, At: noon}})
	})
	o.write(t, func(ctx context.Context, tx pgx.Tx) error {
		renumbered := profile.Person{ID: uuid.UUID{15: 4}, Number: "5000000A000PB0", Sex: "M", BirthDate: "1990", Citizenship: "BY"}
		return profile.Apply(ctx, tx, []profile.Person{renumbered}, noon)
	})
	clients := o.tellClients(t)
	told := map[string]int{}                      // doors that have told each client what is its own
	stranger := issuertest.New(t, o.provider.Now) // its key has the name of the provider's
	key, another := prooftest.New(t), prooftest.New(t)
	cert, forged := &x509.Certificate{Raw: []byte("the e-service's")}, &x509.Certificate{Raw: []byte("another's")}

	hold := func(t *testing.T, method, path string, operation *openapi3.Operation) {
		acr, _ := operation.Extensions["x-acr"].(string)
		maxAge, _ := operation.Extensions["x-max-age"].(float64)
		own, _ := operation.Extensions["x-own"].(bool)
		scope := (*operation.Security)[0]["bearer"][0]
		claims := func(changes ...any) map[string]any {
			all := signIn()
			all["acr"] = cmp.Or(acr, api.Low)
			if own {
				all = map[string]any{"sub": "service"}
			}
			all["scope"] = scope
			for i := 0; i < len(changes); i += 2 {
				all[changes[i].(string)] = changes[i+1]
			}
			return all
		}
		token := func(changes ...any) string { return o.provider.AccessToken(o.url, claims(changes...)) }
		system := o.provider.AccessToken(o.url, map[string]any{"sub": "service", "scope": scope})
		byKey := token("cnf", map[string]string{"jkt": key.Thumbprint(t)})
		byCert := token("cnf", map[string]string{"x5t#S256": api.CertificateThumbprint(cert)})
		for _, p := range operation.Parameters {
			if p.Value.In == openapi3.ParameterInPath {
				path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", p.Value.Example.(string))
			}
		}
		at := o.url + path
		var body string
		if operation.RequestBody != nil {
			example, err := json.Marshal(operation.RequestBody.Value.Content.Get("application/json").Example)
			if err != nil {
				t.Fatal(err)
			}
			body = string(example)
		}
		tag := "" // of what was read last
		read := func(story string, s shown) string {
			t.Helper()
			answer := o.ask(t, method, at, body, s)
			tag = answer.Header().Get("ETag")
			if answer.Code != http.StatusOK {
				t.Errorf("%s: got %d %s", story, answer.Code, answer.Body)
			}
			return answer.Body.String()
		}
		refused := func(story string, s shown, status int, code string, challenge ...string) {
			t.Helper()
			before := o.state(t)
			s.tag = tag // that it is still the same would be told too
			answer := o.ask(t, method, at, body, s)
			want := fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"code":%q}`+"\n", http.StatusText(status), status, code)
			if got := answer.Body.String(); answer.Code != status || got != want {
				t.Errorf("%s: got %d %s, want %s", story, answer.Code, got, want)
			}
			got := answer.Header().Values("WWW-Authenticate")
			for _, part := range challenge {
				if !strings.Contains(strings.Join(got, "; "), part) {
					t.Errorf("%s: challenged by %q, want %s", story, got, part)
				}
			}
			if challenge == nil && got != nil {
				t.Errorf("%s: challenged by %q, where no other token would help", story, got)
			}
			if tag := answer.Header().Get("ETag"); tag != "" {
				t.Errorf("%s: what is not told has the tag %s", story, tag)
			}
			if o.state(t) != before {
				t.Errorf("%s: something was written", story)
			}
		}
		const bad, unproven = `error="invalid_token"`, `DPoP error="invalid_dpop_proof"`

		annas := read("a right token", shown{token: token()})
		for _, either := range (*operation.Security)[1:] {
			read("a right token by another scope", shown{token: token("scope", either["bearer"][0])})
		}
		read("bound to a certificate, which is shown", shown{token: byCert, cert: cert})
		proof := key.Prove(t, method, at, byKey, noon)
		read("bound to a key, which is proved", shown{token: byKey, scheme: api.DPoP, proof: proof})

		refused("nothing", shown{}, 401, "token_required", "Bearer", "DPoP")
		refused("no token", shown{token: "open"}, 401, "invalid_token", bad)
		refused("a token for another API", shown{token: o.provider.AccessToken("https://elsewhere.example", claims())}, 401, "invalid_token", bad)
		refused("one that has expired", shown{token: token("exp", noon.Add(-time.Minute).Unix())}, 401, "invalid_token", bad)
		refused("one of another issuer", shown{token: token("iss", stranger.URL)}, 401, "invalid_token", bad)
		refused("one signed by another key", shown{token: stranger.AccessToken(o.url, claims("iss", o.provider.URL))}, 401, "invalid_token", bad)
		refused("one for something else", shown{token: token("scope", "openid phone "+scope+"s")}, 403, "insufficient_scope", `error="insufficient_scope", scope="`+scope+`"`)
		refused("one of a disabled client", shown{token: token("client_id", "disabled")}, 401, "invalid_token", bad)
		refused("one that came through a disabled client", shown{token: token("via", []string{"disabled"})}, 401, "invalid_token", bad)

		refused("bound to a key, as if it were not", shown{token: byKey, proof: key.Prove(t, method, at, byKey, noon)}, 401, "invalid_token", bad)
		refused("bound to a key, without a proof", shown{token: byKey, scheme: api.DPoP}, 401, "invalid_dpop_proof", unproven)
		refused("with a proof a second time", shown{token: byKey, scheme: api.DPoP, proof: proof}, 401, "invalid_dpop_proof", unproven)
		refused("with a proof for another token", shown{token: byKey, scheme: api.DPoP, proof: key.Prove(t, method, at, token(), noon)}, 401, "invalid_dpop_proof", unproven)
		refused("with a proof for another door", shown{token: byKey, scheme: api.DPoP, proof: key.Prove(t, method, at+"/", byKey, noon)}, 401, "invalid_dpop_proof", unproven)
		refused("with a proof of another key", shown{token: byKey, scheme: api.DPoP, proof: another.Prove(t, method, at, byKey, noon)}, 401, "invalid_token", bad)
		refused("bound to a certificate, without it", shown{token: byCert}, 401, "invalid_token", bad)
		refused("bound to a certificate, with another", shown{token: byCert, cert: forged}, 401, "invalid_token", bad)

		for client, mine := range clients {
			notOf := client
			if !own {
				notOf = ""
			}
			before := o.subscribers(t, notOf)
			says := read("a token of the client "+client, shown{token: token("client_id", client)})
			for whose, marks := range clients {
				if tells := slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(says, mark) }); tells && whose != client {
					t.Errorf("%s is told what is %s's:\n%s", client, whose, says)
				} else if tells {
					told[client]++
				}
			}
			if after := o.subscribers(t, notOf); after != before {
				t.Errorf("%s has changed what is others':\n%s\n%s", client, before, after)
			}
			if !own && slices.ContainsFunc(mine, func(mark string) bool { return strings.Contains(says, mark) }) {
				t.Errorf("a person who has signed in is told what is the client's own:\n%s", says)
			}
		}
		if method != http.MethodGet {
			answers := o.kept(t)
			acted := read("an act", shown{token: token(), key: path})
			entries := o.entries(t)
			if again := read("the same act again", shown{token: token(), key: path}); again != acted {
				t.Errorf("asked again by the same key: got %s, want %s", again, acted)
			}
			if o.kept(t) != answers+1 || o.entries(t) != entries {
				t.Errorf("the same act again: %d answers, %d entries more", o.kept(t)-answers, o.entries(t)-entries)
			}
			if !own {
				refused("the same act after a block", shown{token: token("gid", over.String()), key: path}, 401, "invalid_token", bad)
			}
			read("another client's act", shown{token: token("client_id", "another"), key: path})
			if o.kept(t) != answers+2 {
				t.Error("another client's act was taken for this one's")
			}
			if acr != "" {
				if theirs := read("another person's act", shown{token: token("sub", other, "gid", uuid.NewString()), key: path}); theirs == acted {
					t.Errorf("another person was given the answer to this one's act: %s", theirs)
				}
			}
		}
		if own {
			for story, less := range map[string][]string{
				"a citizen's token": {}, "one of which no grant is told": {"gid", "sid"}, "one of which no sign-in is told": {"auth_time", "acr"},
			} {
				citizens := signIn()
				citizens["scope"] = scope
				for _, claim := range less {
					delete(citizens, claim)
				}
				for client := range clients {
					citizens["client_id"] = client
					refused(story, shown{token: o.provider.AccessToken(o.url, citizens), key: path}, 403, "client_required")
				}
			}
			return
		}
		others := read("a right token of another person", shown{token: token("sub", other, "gid", uuid.NewString())})
		read("signed in again after a block", shown{token: token("sub", blocked, "gid", uuid.NewString(), "auth_time", noon.Add(time.Second).Unix())})
		refused("one of before a block", shown{token: token("sub", blocked)}, 401, "invalid_token", bad)
		refused("one of before a sign-out", shown{token: token("gid", over.String())}, 401, "invalid_token", bad)
		refused("one of the dead", shown{token: token("sub", dead)}, 403, "cabinet_deactivated")
		refused("one of a number that has become another", shown{token: token("sub", former)}, 401, "invalid_token", bad)
		refused("one of nobody", shown{token: token("sub", nobody)}, 503, "no_cabinet_yet")
		o.provider.Inactive(true)
		refused("one of a number that came and went unheard", shown{token: token("sub", nobody)}, 401, "invalid_token", bad)
		o.provider.Inactive(false)
		if acr == "" {
			if systems := read("a client's own token", shown{token: system}); annas != systems || others != systems {
				t.Errorf("what is a person's is given without a sign-in:\n%s\n%s\n%s", annas, others, systems)
			}
			return
		}
		if mine := o.names(t); !slices.ContainsFunc(mine, func(s string) bool { return strings.Contains(annas, s) }) ||
			slices.ContainsFunc(mine, func(s string) bool { return strings.Contains(others, s) }) {
			t.Errorf("got of Anna:\n%s\nof another:\n%s", annas, others)
		}
		refused("a client's own token", shown{token: system}, 403, "person_required")
		needed := []string{`error="insufficient_user_authentication"`, `acr_values="` + acr + `"`}
		if maxAge > 0 {
			needed = append(needed, `max_age="`+strconv.Itoa(int(maxAge))+`"`)
			long := noon.Add(-time.Duration(maxAge+1) * time.Second)
			refused("signed in too long ago", shown{token: token("auth_time", long.Unix())}, 401, "insufficient_user_authentication", needed...)
		}
		lower := append([]string{"none"}, api.Levels...)[api.Level(acr)-1]
		refused("signed in at a lower level", shown{token: token("acr", lower)}, 401, "insufficient_user_authentication", needed...)
	}
	document := described(t)
	for _, route := range slices.Sorted(maps.Keys(o.cabinet.demands)) { // GET first: what others then do changes what is told
		method, path, _ := strings.Cut(route, " ")
		t.Run(route, func(t *testing.T) { hold(t, method, path, document.Paths.Value(path).GetOperation(method)) })
	}
	for client := range clients {
		if told[client] < 2 {
			t.Errorf("%s is told what is its own at %d doors", client, told[client])
		}
	}
}

// unwall takes the wall down behind the doors.
func (w *world) unwall(t *testing.T) {
	t.Helper()
	const unwall = `
		DO $$ DECLARE walled regclass; BEGIN
			FOR walled IN SELECT oid FROM pg_class WHERE relrowsecurity LOOP
				EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', walled);
			END LOOP;
		END $$`
	if _, err := w.pool.Exec(t.Context(), unwall); err != nil {
		t.Fatal(err)
	}
}

// tellClients has two e-services told something, and gives what is each one's own.
func (w *world) tellClients(t *testing.T) map[string][]string {
	t.Helper()
	clients := map[string][]string{}
	for _, client := range []string{"tax", "bank"} {
		id := uuid.NewString()
		address := "https://" + client + ".example/" + id
		clients[client] = []string{id, address}
		w.write(t, func(ctx context.Context, tx pgx.Tx) error {
			const tell = `INSERT INTO signal (id, client_id, subject, at, kind, detail) VALUES ($1, $2, 'somebody', $3, 'profile-changed', '{}')`
			if _, err := tx.Exec(ctx, tell, id, client, noon); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO subscriber (client_id, url, next_at) VALUES ($1, $2, $3)`, client, address, noon)
			return err
		})
	}
	if err := w.signals.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	return clients
}

// subscribers are how it stands with all clients but one.
func (w *world) subscribers(t *testing.T, but string) (all string) {
	t.Helper()
	const find = `SELECT coalesce(jsonb_agg(to_jsonb(subscriber) ORDER BY client_id)::text, '') FROM subscriber WHERE client_id <> $1`
	if err := w.pool.QueryRow(t.Context(), find, but).Scan(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// observed is a cabinet as its program serves it.
type observed struct {
	*world
	handler http.Handler
	log     *bytes.Buffer
	metrics *prometheus.Registry
	asked   map[string]uint64 // how often, by route and status
}

func observe(t *testing.T) observed {
	t.Helper()
	o := observed{newWorld(t), nil, &bytes.Buffer{}, prometheus.NewRegistry(), map[string]uint64{}}
	observer, err := api.NewObserver(api.ObserverConfig{Log: slog.New(slog.NewJSONHandler(o.log, nil)), Metrics: o.metrics, Now: o.provider.Now})
	if err != nil {
		t.Fatal(err)
	}
	o.handler = observer.Observe(o.cabinet.Handler())
	return o
}

// shown is what a request shows of who sends it; the scheme is Bearer where none is named.
type shown struct {
	token, scheme, proof string
	key                  string // Idempotency-Key
	tag                  string // If-None-Match
	cert                 *x509.Certificate
}

// ask sends a request, with a body or "", holds the answer to the document, and wants one line and one count of it, which name nobody.
func (o observed) ask(t *testing.T, method, address, body string, s shown) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		r.Header.Set("Authorization", cmp.Or(s.scheme, api.Bearer)+" "+s.token)
	}
	if s.key != "" {
		r.Header.Set("Idempotency-Key", s.key)
	}
	if s.tag != "" && method == http.MethodGet {
		r.Header.Set("If-None-Match", s.tag)
	}
	if s.proof != "" {
		r.Header.Set("DPoP", s.proof)
	}
	r.TLS = &tls.ConnectionState{}
	if s.cert != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{s.cert}
	}
	o.log.Reset()
	answer := httptest.NewRecorder()
	o.handler.ServeHTTP(answer, r)
	o.held(t, r, answer.Code, answer.Header(), answer.Body.Bytes())

	var line struct {
		Route  string
		Status int
		Err    string
	}
	if err := json.Unmarshal(o.log.Bytes(), &line); err != nil { // of two lines too
		t.Fatalf("the log: %v: %s", err, o.log)
	}
	if line.Status != answer.Code || (line.Err == "") != (answer.Code < 400) || !strings.HasPrefix(line.Route, method+" /") {
		t.Errorf("the log has %s of %d", o.log, answer.Code)
	}
	for _, secret := range append(o.names(t), s.token, s.proof) {
		if secret != "" && strings.Contains(o.log.String(), secret) {
			t.Errorf("the log tells %s: %s", secret, o.log)
		}
	}
	series := line.Route + " " + strconv.Itoa(line.Status)
	o.asked[series]++
	if got := o.counted(t, line.Route, line.Status); got != o.asked[series] {
		t.Errorf("%s was counted %d times, not %d", series, got, o.asked[series])
	}
	return answer
}

// counted is how often the metrics have a route answered by a status.
func (o observed) counted(t *testing.T, route string, status int) uint64 {
	t.Helper()
	families, err := o.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range families[0].GetMetric() {
		if label := metric.GetLabel(); label[0].GetValue() == route && label[1].GetValue() == strconv.Itoa(status) {
			return metric.GetHistogram().GetSampleCount()
		}
	}
	return 0
}

// names are what nobody but Anna may hear: her number, and the entries of her journal.
func (o observed) names(t *testing.T) []string {
	t.Helper()
	rows, _ := o.pool.Query(t.Context(), `SELECT id::text FROM journal WHERE person_id = $1`, anna)
	entries, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return append(entries, annasNumber)
}

func (w *world) entries(t *testing.T) (n int) {
	t.Helper()
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM journal`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// state is a digest of all that the database holds.
func (w *world) state(t *testing.T) (digest string) {
	t.Helper()
	const find = `
		SELECT md5(string_agg(query_to_xml(format('SELECT * FROM %s', oid::regclass), true, false, '')::text, '' ORDER BY oid))
		FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = current_schema()::regnamespace`
	if err := w.pool.QueryRow(t.Context(), find).Scan(&digest); err != nil {
		t.Fatal(err)
	}
	return digest
}

func (w *world) kept(t *testing.T) (n int) {
	t.Helper()
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM answer`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
