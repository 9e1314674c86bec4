package manage_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/answer"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/backchannel"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/grant"
	"asoba.example/provider/keys"
	"asoba.example/provider/manage"
	"asoba.example/provider/seal"
)

const (
	issuer   = "https://idp.example"
	audience = "https://idp.example/management"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// A world is the doors on real stores, and their document.
type world struct {
	pool     *pgxpool.Pool
	registry *clients.Registry
	ring     *keys.Ring
	denials  *grant.Denials
	feed     *audit.Feed
	answers  *answer.Book
	bodies   *body.Bodies
	mux      *http.ServeMux
	document routers.Router
	operator *clients.Client
}

// routes remembers what is mounted.
type routes struct {
	*http.ServeMux
	patterns []string
}

func (r *routes) Handle(pattern string, h http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.Handle(pattern, h)
}

// nobody is of the operator's staff here.
func nobody(context.Context, pgx.Tx, uuid.UUID) (bool, error) { return false, nil }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pool: pgtest.New(t), mux: http.NewServeMux()}
	box, err := seal.Open(t.Context(), w.pool, make([]byte, seal.MasterKeySize), noon)
	if err != nil {
		t.Fatal(err)
	}
	if w.ring, err = keys.New(t.Context(), keys.Config{Pool: w.pool, Box: box, Now: now}); err != nil {
		t.Fatal(err)
	}
	if w.registry, err = clients.New(t.Context(), clients.Config{Pool: w.pool, Back: w.pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{AllowLoopback: true}), Now: now}); err != nil {
		t.Fatal(err)
	}
	w.denials = grant.NewDenials(w.pool, redistest.New(t), 5*time.Minute, now)
	w.feed = audit.NewFeed(w.pool, w.pool)
	w.answers = &answer.Book{Pool: w.pool, Box: box, Now: now}
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.bodies = body.New(body.Config{Pool: w.pool, Clients: w.registry, Jobs: jobs, Denials: w.denials, Judges: nobody})
	doors, err := manage.New(manage.Config{
		Pool: w.pool, Bodies: w.bodies, Whose: w.whose,
		Bearer: manage.Bearer{
			Verifier: api.Verifier{Keys: w.ring, Issuer: issuer, Audience: audience, Now: now},
			Denials:  w.denials, Clients: w.registry,
		},
		Clients: w.registry, Answers: w.answers, Keys: w.ring, Notices: &backchannel.Notices{Pool: w.pool, Now: now}, Feed: w.feed,
		Roots: w.roots(0), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	doors.Mount(w.mux)
	w.operator, _, err = w.registry.Register(t.Context(), "operator", clients.Metadata{
		GrantTypes: []string{"client_credentials"}, Scope: "clients:manage changes:read audit:read",
	}, clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if w.document, err = gorillamux.NewRouter(document(t)); err != nil {
		t.Fatal(err)
	}
	return w
}

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(manage.Document)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// token is one of the operator's, changed.
func (w *world) token(t *testing.T, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": issuer, "aud": audience, "sub": "operator", "client_id": "operator", "jti": uuid.NewString(),
		"iat": noon.Unix(), "exp": noon.Add(5 * time.Minute).Unix(), "scope": "clients:manage changes:read audit:read",
	}
	for claim, value := range change {
		claims[claim] = value
	}
	token, err := w.ring.Sign(jose.ES256, "at+jwt", claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// seal gives all events so far their places.
func (w *world) seal(t *testing.T) {
	t.Helper()
	if err := (&audit.Sealer{Pool: w.pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// call asks a door and holds the answer to the document.
func (w *world) call(t *testing.T, token, method, path, body string, header ...string) (status int, answer map[string]any) {
	t.Helper()
	recorder, answer := w.ask(t, token, method, path, body, header...)
	return recorder.Code, answer
}

// ask is call for whoever looks at the headers too.
func (w *world) ask(t *testing.T, token, method, path, body string, header ...string) (recorder *httptest.ResponseRecorder, answer map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	recorder = httptest.NewRecorder()
	w.mux.ServeHTTP(recorder, r)
	route, parameters, err := w.document.FindRoute(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	text := recorder.Body.Bytes()
	html := strings.HasPrefix(recorder.Header().Get("Content-Type"), "text/html")
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route},
		Status:                 recorder.Code,
		Header:                 recorder.Header(),
		Body:                   io.NopCloser(bytes.NewReader(text)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: html},
	})
	if err != nil {
		t.Errorf("%s %s is not as documented: %v", method, path, err)
	}
	if !html && len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
	}
	return recorder, answer
}

// Every door of ours is documented, and the document is sound.
func TestTheDocumentIsWhole(t *testing.T) {
	t.Parallel()
	doc := document(t)
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	mounted := &routes{ServeMux: http.NewServeMux()}
	doors, err := manage.New(manage.Config{})
	if err != nil {
		t.Fatal(err)
	}
	doors.Mount(mounted)
	for _, pattern := range mounted.patterns {
		method, path, _ := strings.Cut(pattern, " ")
		item := doc.Paths.Find(path)
		if item == nil || item.GetOperation(method) == nil {
			t.Errorf("%s is not documented", pattern)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for _, p := range operation.Parameters {
				if p.Value.Name == "limit" && p.Value.Schema.Value.Max == nil {
					t.Errorf("%s %s has no most of limit", method, path)
				}
			}
		}
	}
}

// A client's life: registered, shown, listed, replaced, removed.
func TestAClientIsManaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	status, registered := w.call(t, token, "POST", "/clients",
		`{"redirect_uris":["https://portal.example/cb"],"client_name":"Портал","client_name#be":"Партал","contacts":["a@b.example"]}`)
	id, _ := registered["client_id"].(string)
	secret, _ := registered["client_secret"].(string)
	c, err := w.registry.Find(t.Context(), id)
	if err != nil {
		t.Fatal(status, registered, err)
	}
	if status != http.StatusCreated || !c.HasSecret(secret, noon) || registered["client_name#be"] != "Партал" || registered["contacts"] != nil {
		t.Errorf("got %d %v", status, registered)
	}
	status, shown := w.call(t, token, "GET", "/clients/"+id, "")
	if status != http.StatusOK || shown["client_secret"] != nil || shown["client_name"] != "Портал" {
		t.Errorf("got %d %v", status, shown)
	}
	var listed []any
	for after, pages := "", 0; pages < 2; pages++ {
		_, page := w.call(t, token, "GET", "/clients?limit=1&after="+after, "")
		listed = append(listed, page["clients"].([]any)...)
		after, _ = page["next"].(string)
		if (after == "") != (pages == 1) {
			t.Errorf("page %d is followed by %q", pages, after)
		}
	}
	if len(listed) != 2 {
		t.Errorf("listed %v", listed)
	}
	if status, answer := w.call(t, token, "PUT", "/clients/"+id,
		`{"client_id":"`+id+`","redirect_uris":["https://new.example/cb"],"scope":"openid profile"}`, "If-Match", `"1"`); status != http.StatusOK || answer["client_secret"] != nil || answer["client_name"] != nil {
		t.Errorf("got %d %v", status, answer)
	}
	if c, err := w.registry.Find(t.Context(), id); err != nil || !c.RedirectsTo("https://new.example/cb") || !c.HasSecret(secret, noon) {
		t.Errorf("after the change: %v", err)
	}
	if status, _ := w.call(t, token, "DELETE", "/clients/"+id, "", "If-Match", `"2"`); status != http.StatusNoContent {
		t.Errorf("got %d", status)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		if status, answer := w.call(t, token, method, "/clients/"+id, `{"redirect_uris":["https://new.example/cb"]}`, "If-Match", "*"); status != http.StatusNotFound || answer["code"] != "unknown_client" {
			t.Errorf("%s after the removal: %d %v", method, status, answer)
		}
	}
	const by = `SELECT count(*) FROM event WHERE client_id = $1 AND detail ->> 'by' = 'operator'`
	var recorded int
	if err := w.pool.QueryRow(t.Context(), by, id).Scan(&recorded); err != nil || recorded != 3 {
		t.Errorf("%d of 3 changes are recorded, %v", recorded, err)
	}
}

// Whoever changes a client says which version they have seen (RFC 9110 §13.1.1, RFC 6585 §3), and changes no other.
func TestNobodyWritesOverWhatTheyHaveNotSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	made, registered := w.ask(t, token, "POST", "/clients", `{"redirect_uris":["https://portal.example/cb"]}`)
	path := "/clients/" + registered["client_id"].(string)
	shown, _ := w.ask(t, token, "GET", path, "")
	first := shown.Header().Get("ETag")
	if first == "" || first != made.Header().Get("ETag") {
		t.Errorf("registered as %s, shown as %s", made.Header().Get("ETag"), first)
	}
	const change = `{"redirect_uris":["https://new.example/cb"]}`
	changed, _ := w.ask(t, token, "PUT", path, change, "If-Match", first)
	second := changed.Header().Get("ETag")
	if changed.Code != http.StatusOK || second == first {
		t.Errorf("got %d %s", changed.Code, second)
	}
	// A weak tag is no proof of having seen it, and neither is one of a form that is not ours.
	for _, match := range []string{first, "W/" + second, `"0"`, `"-1"`, "2", `"2", "3"`} {
		for _, method := range []string{"PUT", "DELETE"} {
			if status, answer := w.call(t, token, method, path, change, "If-Match", match); status != 412 || answer["code"] != "stale" {
				t.Errorf("%s having seen %s: got %d %v", method, match, status, answer)
			}
		}
	}
	if status, _ := w.call(t, token, "PUT", path, change); status != http.StatusOK {
		t.Errorf("without a word of what was seen: got %d", status)
	}
	if status, _ := w.call(t, token, "PUT", path, change, "If-Match", "*"); status != http.StatusOK {
		t.Errorf("any version: got %d", status)
	}
}

// A request that comes again with its key happens once and is answered alike, with the secret that may have been lost on the way.
func TestARequestThatComesAgainHappensOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	const (
		body  = `{"redirect_uris":["https://portal.example/cb"]}`
		other = `{"redirect_uris":["https://other.example/cb"]}`
	)
	registered := func() (n int) {
		t.Helper()
		if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM client WHERE client_id <> 'operator'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	heal := pgtest.FailOn(t, w.pool, "INSERT", "answer")
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/clients", strings.NewReader(body))
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": {"one"}}
	broken := httptest.NewRecorder()
	if w.mux.ServeHTTP(broken, r); broken.Code != http.StatusInternalServerError || registered() != 0 {
		t.Errorf("over a broken table: got %d, %d registered", broken.Code, registered())
	}
	heal()
	// All at once: one acts, and the others are told of it.
	told := make([]string, 8)
	var asking sync.WaitGroup
	for i := range told {
		asking.Go(func() {
			got, _ := w.ask(t, token, "POST", "/clients", body, "Idempotency-Key", "one")
			told[i] = fmt.Sprint(got.Code, got.Header().Get("Location"), got.Header().Get("ETag"), got.Body)
		})
	}
	asking.Wait()
	if told = slices.Compact(told); len(told) != 1 || registered() != 1 || !strings.Contains(told[0], "idp_secret_") {
		t.Errorf("%d registered, and told %v", registered(), told)
	}
	var readable int
	const find = `SELECT count(*) FROM answer WHERE position('idp_secret_' IN encode(sealed, 'escape')) > 0`
	if err := w.pool.QueryRow(t.Context(), find).Scan(&readable); err != nil || readable != 0 {
		t.Errorf("%d answers can be read, %v", readable, err)
	}
	if status, answer := w.call(t, token, "POST", "/clients", other, "Idempotency-Key", "one"); status != http.StatusUnprocessableEntity || answer["code"] != "idempotency_key_reused" {
		t.Errorf("another body: got %d %v", status, answer)
	}
	if status, _ := w.call(t, token, "POST", "/clients", `{}`, "Idempotency-Key", "two"); status != http.StatusBadRequest {
		t.Errorf("a mistake: got %d", status)
	}
	if status, _ := w.call(t, token, "POST", "/clients", body, "Idempotency-Key", "two"); status != http.StatusCreated {
		t.Errorf("the mistake mended: got %d", status) // what was refused has not happened
	}
	if status, answer := w.call(t, token, "POST", "/clients", body, "Idempotency-Key", strings.Repeat("k", 256)); status != http.StatusBadRequest || answer["code"] != "invalid_idempotency_key" {
		t.Errorf("a long key: got %d %v", status, answer)
	}
	second, _, err := w.registry.Register(t.Context(), "second", w.operator.Metadata, clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	theirs := w.token(t, map[string]any{"sub": second.ID, "client_id": second.ID})
	if got, _ := w.ask(t, theirs, "POST", "/clients", body, "Idempotency-Key", "one"); got.Code != http.StatusCreated || strings.Contains(told[0], got.Header().Get("Location")) {
		t.Errorf("another caller with the key: got %d %s", got.Code, got.Body)
	}
	// A key is worth its hour, whether it has been swept up or not.
	w.answers.Now = func() time.Time { return noon.Add(time.Hour) }
	if got, _ := w.ask(t, token, "POST", "/clients", other, "Idempotency-Key", "one"); got.Code != http.StatusCreated {
		t.Errorf("after its hour: got %d %s", got.Code, got.Body)
	}
	if err := w.answers.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kept int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM answer`).Scan(&kept); err != nil || kept != 1 {
		t.Errorf("%d answers are kept, %v", kept, err)
	}
}

func TestWrongRequestsAreToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	for _, test := range []struct {
		method, path, body string
		status             int
		code, field        string
	}{
		{"POST", "/clients", `{"redirect_uris":["http://portal.example/cb"]}`, 400, "invalid_redirect_uri", "/redirect_uris"},
		{"POST", "/clients", `{"redirect_uris":["https://portal.example/cb"],"scope":"email"}`, 400, "invalid_client_metadata", "/scope"},
		{"POST", "/clients", `{"client_id":"mine","redirect_uris":["https://portal.example/cb"]}`, 400, "invalid_client_metadata", "/client_id"},
		{"POST", "/clients", `{"client_id":7}`, 400, "invalid_client_metadata", "/client_id"},
		{"POST", "/clients", ``, 400, "invalid_client_metadata", ""},
		{"PUT", "/clients/operator", ``, 400, "invalid_client_metadata", ""},
		{"POST", "/bodies", ``, 400, "invalid_body", ""},
		{"POST", "/bodies", `{"name":" "}`, 400, "invalid_body", ""},
		{"POST", "/bodies", `{"name":"Office","name#de":"Amt"}`, 400, "invalid_body", "/name#de"},
		{"POST", "/bodies/office/clients", `{"redirect_uris":["https://portal.example/cb"]}`, 404, "unknown_body", ""},
		{"POST", "/bodies/00000000-0000-7000-8000-000000000000/representatives", `{"identifier":"1"}`, 404, "unknown_body", ""},
		{"DELETE", "/bodies/00000000-0000-7000-8000-000000000000/representatives/anna", ``, 404, "unknown_body", ""},
		{"PUT", "/clients/operator/owner", `{"body":"office"}`, 404, "unknown_body", ""},
		{"PUT", "/clients/operator/owner", `{}`, 400, "invalid_body", "/body"},
		{"PUT", "/clients/nobody/owner", `{"body":null}`, 404, "unknown_client", ""},
		{"GET", "/clients/nobody/proposals", ``, 404, "unknown_client", ""},
		{"POST", "/clients/operator/proposals", ``, 403, "insufficient_scope", ""},
		{"POST", "/clients", `[]`, 400, "invalid_client_metadata", "/"},
		{"POST", "/clients", `{"application_type":"desktop"}`, 400, "invalid_client_metadata", "/application_type"},
		{"POST", "/clients", `{"redirect_uris":["https://portal.example/cb",7]}`, 400, "invalid_client_metadata", "/redirect_uris/1"},
		{"POST", "/clients/operator/secrets", `{"overlap":-1}`, 400, "invalid_body", "/overlap"},
		{"POST", "/clients/operator/secrets", `{"overlap":2592001}`, 400, "invalid_body", "/overlap"},
		{"POST", "/clients/operator/secrets", `{"overlap":"1"}`, 400, "invalid_body", "/overlap"},
		{"POST", "/clients/operator/secrets", `{"overlaps":1}`, 400, "invalid_body", "/overlaps"},
		{"POST", "/initial-access-tokens", `{"uses":0}`, 400, "invalid_body", "/uses"},
		{"POST", "/initial-access-tokens", `{"scope":"openid clients:manage"}`, 400, "invalid_client_metadata", "/scope"},
		{"POST", "/clients/nobody/secrets", ``, 404, "unknown_client", ""},
		{"POST", "/clients/nobody/disable", ``, 404, "unknown_client", ""},
		{"GET", "/clients/nobody/history", ``, 404, "unknown_client", ""},
		{"GET", "/clients/%00/history", ``, 404, "unknown_client", ""},
		{"GET", "/audit/events?kind=%00", ``, 400, "invalid_parameter", "/kind"},
		{"GET", "/audit/events?kind=nope", ``, 400, "invalid_parameter", "/kind"},
		{"GET", "/audit/events?client_id=%00", ``, 400, "invalid_parameter", "/client_id"},
		{"GET", "/audit/events?person=" + uuid.NewString(), ``, 400, "invalid_parameter", "/person"},
		{"GET", "/audit/roots?after=yesterday", ``, 400, "invalid_parameter", "/after"},
		{"GET", "/audit/roots?limit=0", ``, 400, "invalid_parameter", "/limit"},
		{"POST", "/clients", `{`, 400, "invalid_body", ""},
		{"PUT", "/clients/operator", `{"client_id":"other"}`, 400, "invalid_client_metadata", "/client_id"},
		{"GET", "/clients?limit=0", ``, 400, "invalid_parameter", "/limit"},
		{"GET", "/clients?after=%00", ``, 400, "invalid_parameter", "/after"},
		{"GET", "/clients/%00", ``, 404, "unknown_client", ""},
		{"DELETE", "/clients/%00", ``, 404, "unknown_client", ""},
		{"GET", "/clients/operator/logout-notices?after=x", ``, 400, "invalid_parameter", "/after"},
		{"GET", "/clients/nobody/logout-notices", ``, 404, "unknown_client", ""},
		{"GET", "/changes?after=x", ``, 400, "invalid_cursor", "/after"},
		{"GET", "/changes?after=9007199254740992", ``, 400, "invalid_cursor", "/after"}, // of no event yet
		{"GET", "/audit/events?after=9223372036854775807", ``, 400, "invalid_cursor", "/after"},
		{"GET", "/audit/events?after=9007199254740992", ``, 400, "invalid_cursor", "/after"},
		{"GET", "/clients/operator/history?after=9007199254740992", ``, 400, "invalid_cursor", "/after"},
		{"GET", "/changes?wait=-1", ``, 400, "invalid_parameter", "/wait"},
		{"GET", "/clients?limit=501", ``, 400, "invalid_parameter", "/limit"},
		{"GET", "/audit/events?limit=100000", ``, 400, "invalid_parameter", "/limit"},
		{"GET", "/clients?limit=1&limit=2", ``, 400, "invalid_parameter", "/limit"},
		{"GET", "/clients?limit=", ``, 400, "invalid_parameter", "/limit"},
		{"GET", "/clients?limt=1", ``, 400, "invalid_parameter", "/limt"},
		{"GET", "/keys?limit=1", ``, 400, "invalid_parameter", "/limit"},
		{"DELETE", "/clients/operator?foo", ``, 400, "invalid_parameter", "/foo"},
		{"GET", "/clients?limit=%", ``, 400, "invalid_parameter", ""},
		{"GET", "/clients?limit=1;after=a", ``, 400, "invalid_parameter", ""},
		{"POST", "/clients", `{"scope":"openid","scope":"phone"}`, 400, "invalid_body", "/scope"},
		{"POST", "/clients", `{"jwks":{"keys":[],"keys":[]}}`, 400, "invalid_body", "/jwks/keys"},
	} {
		status, answer := w.call(t, token, test.method, test.path, test.body, "If-Match", "*")
		fields, _ := json.Marshal(answer["fields"])
		if status != test.status || answer["code"] != test.code || !strings.Contains(string(fields), `"name":"`+test.field) && test.field != "" {
			t.Errorf("%s %s %s: got %d %v", test.method, test.path, test.body, status, answer)
		}
	}
}

// Whoever would follow from before what is left is told to read everybody first, and from where to go on then (RFC 9110 §15.5.11).
func TestWhatTheFeedHasDroppedIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.seal(t) // or the feed would stall for what waits for its place
	if _, err := w.pool.Exec(t.Context(), `UPDATE event_base SET place = 12; UPDATE event_head SET place = 12`); err != nil {
		t.Fatal(err)
	}
	token := w.token(t, nil)
	for _, path := range []string{"/changes", "/changes?after=11"} {
		status, answer := w.call(t, token, "GET", path, "")
		if status != http.StatusGone || answer["code"] != "dropped" || answer["cursor"] != "12" || !strings.HasPrefix(answer["detail"].(string), "begin with /register/people") {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
	if status, answer := w.call(t, token, "GET", "/changes?after=12", ""); status != http.StatusOK {
		t.Errorf("from there: %d %v", status, answer)
	}
}

// Only a token of ours, for us, that still holds opens a door, and only with the door's scope.
func TestDoorsOpenToTheRightTokensOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	denied, live := uuid.New(), uuid.New()
	if err := w.denials.Deny(t.Context(), denied); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change map[string]any
		status int
	}{
		"good":                        {nil, 200},
		"of a person":                 {map[string]any{"gid": live, "sub": "3080356A001PB5"}, 403},
		"for another audience":        {map[string]any{"aud": issuer}, 401},
		"of an ended grant":           {map[string]any{"gid": denied}, 401},
		"ended by its client":         {map[string]any{"jti": denied}, 401},
		"that nobody could have made": {map[string]any{"jti": "1"}, 401},
		"of a client that is gone":    {map[string]any{"client_id": "gone"}, 401},
		"without the scope":           {map[string]any{"scope": "changes:read"}, 403},
	} {
		if status, answer := w.call(t, w.token(t, test.change), "GET", "/clients", ""); status != test.status {
			t.Errorf("a token %s: got %d %v", name, status, answer)
		}
	}
	narrower := w.operator.Metadata
	narrower.Scope = "changes:read"
	if _, _, err := w.registry.Replace(t.Context(), "operator", clients.Any, narrower, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	if status, _ := w.call(t, w.token(t, nil), "GET", "/clients", ""); status != http.StatusUnauthorized {
		t.Errorf("a token of a client that lost the scope: got %d", status)
	}
	w.seal(t)
	if status, _ := w.call(t, w.token(t, nil), "GET", "/changes", ""); status != http.StatusOK {
		t.Errorf("a token of a client that kept the scope: got %d", status)
	}
	if err := w.registry.Remove(t.Context(), "operator", clients.Any, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	if status, _ := w.call(t, w.token(t, nil), "GET", "/changes", ""); status != http.StatusUnauthorized {
		t.Errorf("a token of a client that was removed: got %d", status)
	}
}

// Nobody gives a client a scope of the management API that they do not have themselves, and nobody has to have what it has already
// (RFC 9700 §2.3: no more than is needed).
func TestNobodyGivesAwayWhatTheyDoNotHave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const scoped = `{"grant_types":["client_credentials"],"scope":%q}`
	all, narrow := w.token(t, nil), w.token(t, map[string]any{"scope": "clients:manage"})
	for scope, status := range map[string]int{"clients:manage": 201, "clients:manage audit:read": 400, "keys:manage": 400, "cabinet.inbox": 201} {
		if got, answer := w.call(t, narrow, "POST", "/clients", fmt.Sprintf(scoped, scope)); got != status || status == 400 && answer["code"] != "invalid_client_metadata" {
			t.Errorf("registered for %s: got %d %v", scope, got, answer)
		}
	}
	_, auditor := w.call(t, all, "POST", "/clients", fmt.Sprintf(scoped, "audit:read"))
	path := "/clients/" + auditor["client_id"].(string)
	for _, test := range []struct {
		token, scope string
		status       int
	}{
		{narrow, "audit:read", 403}, // its keys could be another's then
		{all, "audit:read keys:manage", 400},
		{all, "clients:manage", 200},
		{narrow, "audit:read", 400},
		{narrow, "clients:manage", 200},
		{all, "audit:read", 200},
	} {
		if got, answer := w.call(t, test.token, "PUT", path, fmt.Sprintf(scoped, test.scope)); got != test.status {
			t.Errorf("changed to %s: got %d %v", test.scope, got, answer)
		}
	}
	// Whoever could give it a secret could be it.
	for call, body := range map[string]string{
		"POST /secrets": "", "POST /disable": "", "POST /enable": "", "PUT /owner": `{"body":null}`, "DELETE ": "",
	} {
		method, rest, _ := strings.Cut(call, " ")
		if got, answer := w.call(t, narrow, method, path+rest, body); got != 403 || answer["code"] != "beyond_scopes" {
			t.Errorf("%s: got %d %v", call, got, answer)
		}
	}
}

// A system with a mere secret makes nobody speak for clerks, by whichever door, for whoever copied the secret would; one with a key may.
func TestASecretMakesNoDeskSystem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const scope = "clients:manage desk:act"
	const speaks = `{"grant_types":["client_credentials"],"token_endpoint_auth_method":"client_secret_basic","scope":"desk:act"}`
	const silent = `{"grant_types":["client_credentials"],"token_endpoint_auth_method":"client_secret_basic","scope":"cabinet.inbox"}`
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.registry.Register(t.Context(), "keyed", clients.Metadata{
		GrantTypes: []string{"client_credentials"}, Scope: scope, TokenEndpointAuthMethod: "private_key_jwt",
		JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}},
	}, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.registry.Replace(t.Context(), "operator", clients.Any, clients.Metadata{
		GrantTypes: []string{"client_credentials"}, Scope: scope,
	}, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	secret := w.token(t, map[string]any{"scope": scope})
	keyed := w.token(t, map[string]any{"scope": scope, "sub": "keyed", "client_id": "keyed"})
	made := func(body string) string {
		t.Helper()
		_, answer := w.call(t, keyed, "POST", "/clients", body)
		return "/clients/" + answer["client_id"].(string)
	}
	desk, other := made(speaks), made(silent)
	knocks := [][3]string{
		{"POST", "/clients", speaks},
		{"PUT", other, speaks},
		{"PUT", desk, speaks},
		{"POST", desk + "/secrets", ""},
		{"POST", desk + "/disable", ""},
		{"PUT", desk, silent},
	}
	for _, k := range append(knocks, [3]string{"DELETE", desk, ""}, [3]string{"PUT", "/clients/operator", silent}) {
		if status, answer := w.call(t, secret, k[0], k[1], k[2]); status != http.StatusForbidden || answer["code"] != "key_required" {
			t.Errorf("by a secret, %s %s: got %d %v", k[0], k[1], status, answer)
		}
	}
	if status, _ := w.call(t, secret, "PUT", other, silent); status != http.StatusOK {
		t.Errorf("by a secret, what concerns no clerk: got %d", status)
	}
	for _, k := range knocks {
		if status, answer := w.call(t, keyed, k[0], k[1], k[2]); status/100 != 2 {
			t.Errorf("by a key, %s %s: got %d %v", k[0], k[1], status, answer)
		}
	}
}

// A member that is null is left out, and so is one that others know (RFC 7591 §2, RFC 7592 §2.2). One that nobody knows is a mistake, and an
// operator is told of it rather than left to believe that it holds.
func TestMetadataMayHoldMoreThanWeKeep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status, answer := w.call(t, w.token(t, nil), "POST", "/clients",
		`{"redirect_uris":["https://portal.example/cb"],"logo_uri":null,"purpose#be":"x","contacts":["a@b.example"]}`)
	if _, kept := answer["contacts"]; status != http.StatusCreated || kept {
		t.Errorf("got %d %v", status, answer)
	}
	for _, strange := range []string{"dpop_bound_access_token", "require_pushed_authorisation_requests", "purposes", "x#be"} {
		status, answer := w.call(t, w.token(t, nil), "POST", "/clients", `{"redirect_uris":["https://portal.example/cb"],"`+strange+`":true}`)
		if status != http.StatusBadRequest || answer["code"] != "invalid_client_metadata" {
			t.Errorf("%s: got %d %v", strange, status, answer)
		}
	}
	_, told := w.call(t, w.token(t, nil), "GET", "/clients/"+answer["client_id"].(string), "")
	text, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := w.call(t, w.token(t, nil), "PUT", "/clients/"+told["client_id"].(string), string(text)); status != http.StatusOK {
		t.Errorf("put as it was told: got %d %v", status, answer)
	}
}

// A secret is rotated with an overlap: a week, where nobody says how long; the answer can be heard again, and tells till when.
func TestASecretIsRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	_, registered := w.call(t, token, "POST", "/clients", `{"redirect_uris":["https://portal.example/cb"]}`)
	path := "/clients/" + registered["client_id"].(string)
	was, _ := registered["client_secret"].(string)
	status, first := w.call(t, token, "POST", path+"/secrets", "", "Idempotency-Key", "r")
	is, _ := first["client_secret"].(string)
	if status != http.StatusCreated || is == "" || is == was || first["previous_client_secret_expires_at"] != float64(noon.Add(7*24*time.Hour).Unix()) {
		t.Errorf("got %d %v", status, first)
	}
	if _, again := w.call(t, token, "POST", path+"/secrets", "", "Idempotency-Key", "r"); again["client_secret"] != is {
		t.Error("the request that came again rotated again")
	}
	if status, _ := w.call(t, token, "POST", path+"/secrets", "", "If-Match", `"1"`); status != http.StatusPreconditionFailed {
		t.Errorf("a version that is over: got %d", status) // RFC 9110 §13.1.1
	}
	c, err := w.registry.Find(t.Context(), registered["client_id"].(string))
	if err != nil || !c.HasSecret(was, noon) || !c.HasSecret(is, noon) {
		t.Errorf("one of the secrets is not good, %v", err)
	}
	if status, last := w.call(t, token, "POST", path+"/secrets", `{"overlap":0}`); status != http.StatusCreated || last["previous_client_secret_expires_at"] != nil {
		t.Errorf("without an overlap: got %d %v", status, last)
	}
	_, public := w.call(t, token, "POST", "/clients", `{"redirect_uris":["https://portal.example/cb"],"token_endpoint_auth_method":"none"}`)
	if status, answer := w.call(t, token, "POST", "/clients/"+public["client_id"].(string)+"/secrets", ""); status != http.StatusConflict || answer["code"] != "no_secret" {
		t.Errorf("a public client: got %d %v", status, answer)
	}
}

// A disabled client's tokens open no door, nor do those that were exchanged for one of them, until it is enabled.
func TestADisabledClientManagesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	second, _, err := w.registry.Register(t.Context(), "second", w.operator.Metadata, clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	theirs := w.token(t, map[string]any{"sub": second.ID, "client_id": second.ID})
	through := w.token(t, map[string]any{"via": []string{second.ID}})
	for _, step := range []struct {
		act    string
		status int
	}{
		{"disable", http.StatusUnauthorized},
		{"disable", http.StatusUnauthorized},
		{"enable", http.StatusOK},
	} {
		status, answer := w.call(t, token, "POST", "/clients/second/"+step.act, "")
		if _, disabled := answer["disabled_at"]; status != http.StatusOK || disabled != (step.act == "disable") {
			t.Errorf("%s: got %d %v", step.act, status, answer)
		}
		for whose, token := range map[string]string{"its token": theirs, "one exchanged for its token": through} {
			if status, _ := w.call(t, token, "GET", "/clients", ""); status != step.status {
				t.Errorf("after %s %s: got %d, want %d", step.act, whose, status, step.status)
			}
		}
	}
}

// Who changed a client, and what, is told in order, for a removed one too; and no secret with it.
func TestAClientHasAHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	_, registered := w.call(t, token, "POST", "/clients", `{"redirect_uris":["https://portal.example/cb"],"scope":"openid"}`)
	path := "/clients/" + registered["client_id"].(string)
	if status, answer := w.call(t, token, "GET", path+"/history", ""); status != http.StatusOK || len(answer["changes"].([]any)) != 0 {
		t.Errorf("before its first event has a place: got %d %v", status, answer)
	}
	w.call(t, token, "PUT", path, `{"redirect_uris":["https://portal.example/cb"],"scope":"openid phone"}`, "If-Match", "*")
	w.call(t, token, "POST", path+"/secrets", "")
	w.call(t, token, "DELETE", path, "", "If-Match", "*")
	w.seal(t)
	var told []string
	for after := ""; ; {
		recorder, page := w.ask(t, token, "GET", path+"/history?limit=3&after="+after, "")
		if strings.Contains(recorder.Body.String(), "idp_secret_") {
			t.Error("a secret is told")
		}
		changes := page["changes"].([]any)
		if len(changes) == 0 {
			break
		}
		for _, c := range changes {
			change := c.(map[string]any)
			text := fmt.Sprintf("%v by %v", change["kind"], change["by"])
			if before := change["before"]; before != nil {
				text += fmt.Sprintf(" from %v", before)
			}
			told = append(told, text)
		}
		after = page["cursor"].(string)
	}
	want := "client.registered by operator, client.changed by operator from map[scope:openid], client.secret_rotated by operator, client.removed by operator"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// An auditor finds events by kind, client and person, and goes on from where they were.
func TestEventsAreSearched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	anna, clerk := uuid.New(), uuid.New()
	err := audit.Record(t.Context(), w.pool,
		audit.Event{Kind: audit.SignedIn, At: noon, Person: anna, ClientID: "portal"},
		audit.Event{Kind: audit.SignedIn, At: noon, Person: uuid.New(), ClientID: "portal"},
		audit.Event{Kind: audit.IdentifierBlocked, At: noon, Person: anna, Clerk: clerk})
	if err != nil {
		t.Fatal(err)
	}
	w.seal(t)
	for query, want := range map[string]int{
		"kind=client.registered": 1, "kind=signed_in": 2, "client_id=portal": 2, "kind=signed_in&client_id=portal": 2, "client_id=operator": 1, "client_id=nobody": 0,
	} {
		var found []any
		for after := ""; ; {
			_, page := w.call(t, token, "GET", "/audit/events?limit=1&after="+after+"&"+query, "")
			if page["cursor"] == after {
				break
			}
			found = append(found, page["events"].([]any)...)
			after = page["cursor"].(string)
		}
		if len(found) != want {
			t.Errorf("%q: found %v", query, found)
		}
	}
	_, page := w.call(t, token, "GET", "/audit/events?kind=identifier.blocked", "")
	if event := page["events"].([]any)[0].(map[string]any); event["clerk"] != clerk.String() {
		t.Errorf("got %v", event)
	}
	if status, _ := w.call(t, w.token(t, map[string]any{"scope": "clients:manage"}), "GET", "/audit/events", ""); status != http.StatusForbidden {
		t.Errorf("without the scope: got %d", status)
	}
}

// roots are what signs on a day.
func (w *world) roots(day int) audit.Roots {
	return audit.Roots{
		Pool: w.pool, Issuer: issuer, Now: func() time.Time { return noon.AddDate(0, 0, day) },
		Sign: func(typ string, claims any) (string, error) { return w.ring.Sign(jose.ES256, typ, claims) },
	}
}

// The signed roots of the audit are read day by day by who keeps them away from the database, and each once; an auditor's
// token is needed.
func TestTheRootsOfTheAuditAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	if _, page := w.call(t, token, "GET", "/audit/roots", ""); len(page["roots"].([]any)) != 0 || page["next"] != nil {
		t.Errorf("before the first was signed: %v", page)
	}
	w.seal(t)
	for day := range 3 {
		if err := w.roots(day).SignToday(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var days, signed []string
	for after := ""; ; {
		_, page := w.call(t, token, "GET", "/audit/roots?limit=2"+after, "")
		for _, root := range page["roots"].([]any) {
			days = append(days, root.(map[string]any)["day"].(string))
			signed = append(signed, root.(map[string]any)["signed"].(string))
		}
		if page["next"] == nil {
			break
		}
		after = "&after=" + page["next"].(string)
	}
	if got, want := strings.Join(days, " "), "2026-11-22 2026-11-23 2026-11-24"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	verifier := audit.Verifier{Pool: w.pool, Key: w.ring.PublicKey, Now: func() time.Time { return noon.AddDate(0, 0, 3) }}
	if proof, err := verifier.Verify(t.Context(), signed, func(int64, int64) {}); err != nil || proof.Roots != 3+3 { // and those of the database
		t.Errorf("they prove %+v, %v", proof, err)
	}
	if status, _ := w.call(t, w.token(t, map[string]any{"scope": "clients:manage"}), "GET", "/audit/roots", ""); status != http.StatusForbidden {
		t.Errorf("without the scope: got %d", status)
	}
}

// An initial access token is told once, and again to the request that comes again; within its limits a client registers itself.
func TestAnInitialAccessTokenIsIssued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	status, issued := w.call(t, token, "POST", "/initial-access-tokens", `{"scope":"openid phone","uses":2,"expires_in":60}`, "Idempotency-Key", "i")
	if status != http.StatusCreated || issued["scope"] != "openid phone" || issued["uses"] != 2.0 || issued["expires_at"] != float64(noon.Add(time.Minute).Unix()) {
		t.Errorf("got %d %v", status, issued)
	}
	_, again := w.call(t, token, "POST", "/initial-access-tokens", `{"scope":"openid phone","uses":2,"expires_in":60}`, "Idempotency-Key", "i")
	initial, _ := issued["initial_access_token"].(string)
	if initial == "" || again["initial_access_token"] != initial {
		t.Errorf("got %q and then %v", initial, again)
	}
	metadata := clients.Metadata{RedirectURIs: []string{"https://portal.example/cb"}, Scope: "openid phone"}
	if _, _, err := w.registry.RegisterSelf(t.Context(), initial, metadata, noon); err != nil {
		t.Error(err)
	}
}

// A token that has got into wrong hands registers nobody from then on, and whom it registered stays.
func TestAnInitialAccessTokenIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	_, issued := w.call(t, token, "POST", "/initial-access-tokens", `{"uses":2}`)
	metadata := clients.Metadata{RedirectURIs: []string{"https://portal.example/cb"}, Scope: "openid"}
	initial, _ := issued["initial_access_token"].(string)
	client, _, err := w.registry.RegisterSelf(t.Context(), initial, metadata, noon)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := issued["id"].(string)
	w.call(t, token, "POST", "/initial-access-tokens", `{"scope":"openid phone","uses":5}`)
	_, listed := w.call(t, token, "GET", "/initial-access-tokens?limit=1", "")
	_, rest := w.call(t, token, "GET", "/initial-access-tokens?after="+id, "")
	is := func(page map[string]any, uses float64, scope string) bool {
		all, _ := page["initial_access_tokens"].([]any)
		i, _ := all[0].(map[string]any)
		return len(all) == 1 && i["uses"] == uses && i["scope"] == scope && i["initial_access_token"] == nil
	}
	if !is(listed, 1, "openid") || listed["next"] != id || !is(rest, 5, "openid phone") || rest["next"] != nil {
		t.Errorf("listed as %v, and then %v", listed, rest)
	}
	if status, body := w.call(t, w.token(t, map[string]any{"scope": "audit:read"}), "DELETE", "/initial-access-tokens/"+id, ""); status != http.StatusForbidden {
		t.Errorf("without the scope: got %d %v", status, body)
	}
	if status, body := w.call(t, token, "DELETE", "/initial-access-tokens/"+id, ""); status != http.StatusNoContent {
		t.Errorf("got %d %v", status, body)
	}
	if _, _, err := w.registry.RegisterSelf(t.Context(), initial, metadata, noon); !errors.Is(err, clients.ErrToken) {
		t.Errorf("a revoked token: got %v", err)
	}
	if _, err := w.registry.Find(t.Context(), client.ID); err != nil {
		t.Errorf("who was registered before: %v", err)
	}
	if _, listed := w.call(t, token, "GET", "/initial-access-tokens", ""); !is(listed, 5, "openid phone") {
		t.Errorf("listed as %v once one is revoked", listed)
	}
	for _, id := range []string{id, uuid.NewString(), "x"} {
		if status, body := w.call(t, token, "DELETE", "/initial-access-tokens/"+id, ""); status != http.StatusNotFound || body["code"] != "unknown_token" {
			t.Errorf("%s: got %d %v", id, status, body)
		}
	}
}

// A registration access token that has got into wrong hands is ended alone (RFC 7592 §3): by it nobody reads, changes or removes the client
// any more, which stays as it is.
func TestARegistrationAccessTokenIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	_, issued := w.call(t, token, "POST", "/initial-access-tokens", "")
	metadata := clients.Metadata{RedirectURIs: []string{"https://portal.example/cb"}, Scope: "openid"}
	client, made, err := w.registry.RegisterSelf(t.Context(), issued["initial_access_token"].(string), metadata, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.registry.FindSelf(t.Context(), client.ID, made.RegistrationToken); err != nil {
		t.Fatal(err)
	}
	path := "/clients/" + client.ID + "/registration-token"
	if status, _ := w.call(t, w.token(t, map[string]any{"scope": "audit:read"}), "DELETE", path, ""); status != http.StatusForbidden {
		t.Errorf("without the scope: got %d", status)
	}
	for range 2 { // the second time changes nothing
		if status, told := w.call(t, token, "DELETE", path, "", "If-Match", "*"); status != http.StatusOK || told["client_id"] != client.ID {
			t.Errorf("got %d %v", status, told)
		}
	}
	if _, err := w.registry.FindSelf(t.Context(), client.ID, made.RegistrationToken); !errors.Is(err, clients.ErrToken) {
		t.Errorf("by the revoked token: got %v", err)
	}
	if _, _, err := w.registry.ReplaceSelf(t.Context(), client.ID, metadata, noon); !errors.Is(err, clients.ErrToken) {
		t.Errorf("a change that was under way: got %v", err)
	}
	if c, err := w.registry.Find(t.Context(), client.ID); err != nil || !c.HasSecret(made.Secret, noon) {
		t.Errorf("the client is not what it was: %v", err)
	}
	w.seal(t)
	_, history := w.call(t, token, "GET", "/clients/"+client.ID+"/history", "")
	if all, _ := history["changes"].([]any); len(all) != 2 || all[1].(map[string]any)["kind"] != "client.registration_token_revoked" {
		t.Errorf("recorded as %v", history)
	}
	if status, answer := w.call(t, token, "DELETE", "/clients/nobody/registration-token", ""); status != http.StatusNotFound || answer["code"] != "unknown_client" {
		t.Errorf("nobody's: got %d %v", status, answer)
	}
}

// The page of the document tells every operation and every schema, and needs nothing from elsewhere.
func TestTheDocumentIsAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	recorder, _ := w.ask(t, "", "GET", "/docs", "")
	html, policy := recorder.Body.String(), recorder.Header().Get("Content-Security-Policy")
	_, style, _ := strings.Cut(html, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style)) // by which the browser takes the style, and no other (CSP Level 3 §6.7.2)
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
	if recorder.Code != http.StatusOK || style == "" || !strings.HasPrefix(policy, want) {
		t.Errorf("got %d, %s, want %s", recorder.Code, policy, want)
	}
	doc := document(t)
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			if strings.Count(html, `id="`+operation.OperationID+`"`) != 1 {
				t.Errorf("%s does not stand there once", operation.OperationID)
			}
		}
	}
	for name := range doc.Components.Schemas {
		if strings.Count(html, `id="`+name+`"`) != 1 {
			t.Errorf("%s does not stand there once", name)
		}
	}
	if strings.Contains(html, "<script") || strings.Contains(html, "http://") || strings.Contains(html, "https://") || strings.Contains(html, "ZgotmplZ") {
		t.Error("something is from elsewhere")
	}
}

// A consumer of the feed reads from its cursor, and waits no longer than it asked.
func TestChangesAreFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := uuid.New()
	_, _, err := w.registry.Register(t.Context(), "tax", clients.Metadata{
		ClientName: clients.Texts{"": "Tax office", "be": "Падатковая"}, GrantTypes: []string{"client_credentials"}, Scope: "changes:read",
	}, clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	err = audit.Record(t.Context(), w.pool,
		audit.Event{Kind: audit.IdentifierBlocked, At: noon, Person: person, Clerk: person, Detail: map[string]string{"reason": "desk"}},
		audit.Event{Kind: audit.SignedIn, At: noon, Person: person, ClientID: "tax"},
		audit.Event{Kind: audit.SignedIn, At: noon, Person: person, ClientID: "operator"}, // has no name
		audit.Event{Kind: audit.SignedIn, At: noon, Person: person, ClientID: "removed"})
	if err != nil {
		t.Fatal(err)
	}
	w.seal(t)
	token := w.token(t, nil)
	_, first := w.call(t, token, "GET", "/changes?limit=1", "")
	entries := first["entries"].([]any)
	if len(entries) != 1 || entries[0].(map[string]any)["kind"] != "identifier.blocked" || entries[0].(map[string]any)["staff"] != true {
		t.Fatalf("got %v", first)
	}
	_, second := w.call(t, token, "GET", "/changes?wait=1&after="+first["cursor"].(string), "")
	if entries := second["entries"].([]any); len(entries) != 3 || entries[0].(map[string]any)["person"] != person.String() {
		t.Fatalf("got %v", second)
	}
	if got, want := fmt.Sprint(second["clients"]), "map[tax:map[:Tax office be:Падатковая]]"; got != want {
		t.Errorf("the clients are called %s, want %s", got, want)
	}
	status, last := w.call(t, token, "GET", "/changes?wait=1&after="+second["cursor"].(string), "")
	if entries := last["entries"].([]any); status != http.StatusOK || len(entries) != 0 || last["cursor"] != second["cursor"] {
		t.Errorf("got %d %v", status, last)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop() // a consumer that goes away is not waited for
	r := httptest.NewRequestWithContext(ctx, "GET", "/changes?wait=30&after="+second["cursor"].(string), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w.mux.ServeHTTP(httptest.NewRecorder(), r)
}
