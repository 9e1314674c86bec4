package provider_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

const requestURN = "urn:ietf:params:oauth:request_uri:"

// pushed pushes a request that is right and gives the parameters by which it is taken up.
func (w *world) pushed(client string, changes ...string) url.Values {
	w.t.Helper()
	got := w.push(client, params(client, changes...))
	if got.status != http.StatusCreated {
		w.t.Fatalf("got %d %v", got.status, got.body)
	}
	return url.Values{"client_id": {client}, "request_uri": {got.text("request_uri")}}
}

// A pushed request has a name that cannot be guessed and is soon over, and client_id beside it suffices; what else stands there is ignored
// (RFC 9126 §2.2, §4, §7.1).
func TestAPushedRequestNeedsNothingButItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.push("pushing", params("pushing"))
	if got.status != http.StatusCreated || got.header.Get("Cache-Control") != "no-store" || got.body["expires_in"] != 90.0 ||
		!strings.HasPrefix(got.text("request_uri"), requestURN) || len(got.text("request_uri")) < len(requestURN)+26 {
		t.Fatalf("got %d %v", got.status, got.body)
	}
	by := url.Values{
		"client_id": {"pushing"}, "request_uri": {got.text("request_uri")},
		"state": {"evil"}, "scope": {"profile"}, "redirect_uri": {"https://evil.example"}, "prompt": {"none"}, "response_type": {"token"},
	}
	to := w.browser().follow("/authorize?" + by.Encode())
	answer := must(url.Parse(to)).Query()
	if !strings.HasPrefix(to, callback+"?") || answer.Get("state") != "st" || !answer.Has("code") || answer.Get("iss") != w.issuer {
		t.Fatalf("led to %q", to)
	}
	tokens := w.redeem("pushing", answer.Get("code"))
	if _, claims := w.claims(tokens.text("id_token")); tokens.text("scope") != "openid" || claims["nonce"] != "n-1" {
		t.Errorf("got %v, %v", tokens.body, claims)
	}
}

// Everything that can be known to be wrong is said at once, in JSON, and keeps nothing (RFC 9126 §2.1, §2.3).
func TestAPushedRequestThatIsWrongIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, row := range map[string]struct {
		client string
		values url.Values
		status int
		want   string
	}{
		"no credentials":           {"", params("pushing"), http.StatusUnauthorized, "invalid_client"},
		"no client":                {"", url.Values{}, http.StatusUnauthorized, "invalid_client"},
		"another client's name":    {"pushing", params("portal"), http.StatusBadRequest, "invalid_request"},
		"no redirect_uri":          {"pushing", params("pushing", "redirect_uri", ""), http.StatusBadRequest, "invalid_request"},
		"another redirect_uri":     {"pushing", params("pushing", "redirect_uri", callback+"/x"), http.StatusBadRequest, "invalid_request"},
		"no PKCE":                  {"pushing", params("pushing", "code_challenge", "", "code_challenge_method", ""), http.StatusBadRequest, "invalid_request"},
		"PKCE plain":               {"pushing", params("pushing", "code_challenge_method", "plain"), http.StatusBadRequest, "invalid_request"},
		"the implicit flow":        {"pushing", params("pushing", "response_type", "id_token"), http.StatusBadRequest, "unsupported_response_type"},
		"no response_type":         {"pushing", params("pushing", "response_type", ""), http.StatusBadRequest, "unsupported_response_type"},
		"a request_uri":            {"pushing", params("pushing", "request_uri", requestURN+"x"), http.StatusBadRequest, "invalid_request"},
		"an unknown scope":         {"pushing", params("pushing", "scope", "email"), http.StatusBadRequest, "invalid_scope"},
		"another's resource":       {"pushing", params("pushing", "resource", management), http.StatusBadRequest, "invalid_target"},
		"prompt none and login":    {"pushing", params("pushing", "prompt", "none login"), http.StatusBadRequest, "invalid_request"},
		"max_age that is none":     {"pushing", params("pushing", "max_age", "soon"), http.StatusBadRequest, "invalid_request"},
		"a hint that is none":      {"pushing", params("pushing", "id_token_hint", "x"), http.StatusBadRequest, "invalid_request"},
		"not signed":               {"signing", params("signing"), http.StatusBadRequest, "invalid_request"},
		"an unsigned object":       {"signing", url.Values{"request": {"eyJhbGciOiJub25lIn0.e30."}}, http.StatusBadRequest, "invalid_request_object"},
		"not for the code grant":   {"signer", params("signer"), http.StatusBadRequest, "invalid_request"},
		"a response mode there is": {"pushing", params("pushing", "response_mode", "fragment.jwt"), http.StatusBadRequest, "invalid_request"},
	} {
		got := w.push(row.client, row.values)
		if got.status != row.status || got.text("error") != row.want || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %v, want %d %s", name, got.status, got.body, row.status, row.want)
		}
	}
	twice := w.request("/par", params("pushing", "client_id", ""))
	twice.SetBasicAuth("pushing", w.secrets["pushing"])
	twice.URL.RawQuery = "state=x"
	w.do(twice).check(t, http.StatusBadRequest, "invalid_request")
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		if got := w.status(must(http.NewRequestWithContext(t.Context(), method, w.issuer+"/par", nil))); got != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d", method, got)
		}
	}
	if kept := w.redis.Keys(t.Context(), "pushed:*").Val(); len(kept) != 0 {
		t.Errorf("%d are kept", len(kept))
	}
}

// To ask again after a refusal, the client pushes another request.
func TestAPushedRequestThatWasRefusedIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pushed := w.push("service", params("service", "client_id", ""))
	pushed.check(t, http.StatusCreated, "")
	query := "/authorize?" + url.Values{"client_id": {"service"}, "request_uri": {pushed.text("request_uri")}}.Encode()
	b := w.browser()
	b.code("portal")
	to, _, _ := b.get(query)
	if to = b.follow(strings.Replace(to, "/consent", "/refuse", 1)); !strings.Contains(to, "error=access_denied") {
		t.Fatalf("led to %q, want access_denied", to)
	}
	if _, status, body := b.get(query); status != http.StatusBadRequest || !strings.Contains(body, "invalid_request_uri") {
		t.Errorf("asked again: got %d", status)
	}
}

// The name is its client's, for a while (RFC 9126 §2.2, §4). Whoever else shows it learns the same as of one that never was.
func TestAPushedRequestIsItsClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := func(name string, values url.Values) {
		t.Helper()
		to, status, body := w.browser().get("/authorize?" + values.Encode())
		if to != "" || status != http.StatusBadRequest || !strings.Contains(body, "invalid_request_uri") {
			t.Errorf("%s: got %d, leading to %q", name, status, to)
		}
	}
	mine := w.pushed("pushing")
	refused("another client", url.Values{"client_id": {"portal"}, "request_uri": mine["request_uri"]})
	refused("unknown", url.Values{"client_id": {"pushing"}, "request_uri": {requestURN + "x"}})
	w.pass(89 * time.Second)
	if to, _, _ := w.browser().get("/authorize?" + mine.Encode()); !strings.HasPrefix(to, "/sign-in?") {
		t.Errorf("led to %q", to)
	}
	w.pass(time.Second)
	refused("over", mine)
	mine["request_uri"] = append(mine["request_uri"], mine["request_uri"]...)
	if _, status, body := w.browser().get("/authorize?" + mine.Encode()); status != http.StatusBadRequest || !strings.Contains(body, "request_uri_not_supported") {
		t.Errorf("two at once: got %d", status)
	}
}

// The use of a pushed request is its answer: until then the page may be opened again, and afterwards nobody has a second code, not even
// whoever had opened it before (FAPI 2.0 Security Profile §5.3.2.2, note 3; RFC 9126 §7.3).
func TestAPushedRequestLeadsToOneCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	by := w.pushed("pushing")
	early, _, _ := b.get("/authorize?" + by.Encode())
	again, _, _ := b.get("/authorize?" + by.Encode())
	if !strings.HasPrefix(early, "/sign-in?") || !strings.HasPrefix(again, "/sign-in?") {
		t.Fatalf("led to %q and %q, want the page twice", early, again)
	}
	w.pass(10 * time.Minute) // longer than the name is good: who waits, waits on
	if to := b.follow(again); !strings.Contains(to, "code=") {
		t.Fatalf("led to %q", to)
	}
	if to := b.follow(early); !strings.Contains(to, "error=invalid_request_uri") || strings.Contains(to, "code=") {
		t.Errorf("a page opened before led to %q", to)
	}

	// Of many at once exactly one has the code.
	by = w.pushed("pushing")
	var (
		codes atomic.Int64
		race  sync.WaitGroup
	)
	for range 20 {
		race.Go(func() {
			if to, _, _ := b.get("/authorize?" + by.Encode()); strings.Contains(to, "code=") {
				codes.Add(1)
			}
		})
	}
	race.Wait()
	if codes.Load() != 1 {
		t.Errorf("%d codes, want 1", codes.Load())
	}
	if to, status, _ := b.get("/authorize?" + by.Encode()); to != "" || status != http.StatusBadRequest {
		t.Errorf("used: got %d, leading to %q", status, to)
	}
}

// What is kept of a pushed request has neither the client's credentials nor whom a hint names, and the hint still counts.
func TestAPushedRequestIsKeptClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	hint := w.redeem("portal", b.code("portal")).text("id_token")
	values := params("service", "id_token_hint", hint, "login_hint", identifier, "foo", "bar")
	by := url.Values{"client_id": {"service"}, "request_uri": {w.push("service", values).text("request_uri")}}
	kept := w.redis.Keys(t.Context(), "pushed:*").Val()
	if len(kept) != 1 {
		t.Fatalf("%d are kept, want 1", len(kept))
	}
	record := w.redis.Get(t.Context(), kept[0]).Val()
	for _, secret := range []string{w.secrets["service"], hint, identifier, "foo"} {
		if strings.Contains(record, secret) {
			t.Errorf("%q is kept", secret)
		}
	}
	w.exec(`UPDATE person SET identification_number = '4080356A001PB1'`)
	if to := b.follow("/authorize?" + by.Encode()); !strings.Contains(to, "error=login_required") {
		t.Errorf("led to %q, want login_required for a hint of somebody else", to)
	}
}

// prompt=login counts from when the person comes, not from when the request was pushed.
func TestAPushedRequestIsAskedWhenItIsOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	by := w.pushed("pushing", "prompt", "login")
	w.pass(time.Second)
	b.code("portal")
	w.pass(time.Second)
	if to, _, _ := b.get("/authorize?" + by.Encode()); !strings.HasPrefix(to, "/sign-in?") {
		t.Errorf("led to %q, want the page", to)
	}
}

// By client_id and request_uri there is one trip to Redis more than without; and nothing is pushed, or answered, where Redis is gone.
func TestPushedRequestsFailClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	by := w.pushed("pushing")
	w.hook.take()
	w.trips.Take()
	if to, _, _ := b.get("/authorize?" + by.Encode()); !strings.Contains(to, "code=") {
		t.Fatalf("led to %q", to)
	}
	if n, psql := w.hook.take(), w.trips.Take(); n != 3 || psql != 1 {
		t.Errorf("%d trips to Redis, %d to PostgreSQL, want 3 and 1", n, psql)
	}
	by = w.pushed("pushing")
	w.hook.broken.Store(true)
	w.push("pushing", params("pushing")).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	if to, status, _ := b.get("/authorize?" + by.Encode()); to != "" || status < http.StatusInternalServerError {
		t.Errorf("got %d, leading to %q", status, to)
	}
}

// Only what was understood is kept: the page of consent shows it.
func TestWhatIsPushedIsWhatWasUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pushed("pushing", "scope", "openid call-0900-555-now", "state", uuid.NewString())
	var kept struct{ Request url.Values }
	keys := w.redis.Keys(t.Context(), "pushed:*").Val()
	if err := json.Unmarshal([]byte(w.redis.Get(t.Context(), keys[0]).Val()), &kept); err != nil || kept.Request.Get("scope") != "openid" {
		t.Errorf("got %v, %v", kept, err)
	}
}
