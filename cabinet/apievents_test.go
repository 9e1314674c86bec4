package cabinet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/migrations/pgtest"
)

// A client reads its own events by its own token, and asks again from where it was; it is told at an https address of the open Internet, sees how that
// goes, and no other client is told or shown any of it.
func TestAClientIsToldByTheFeedAndAtItsAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := func(client string) string {
		return w.provider.AccessToken(w.url, map[string]any{"sub": client, "client_id": client, "scope": "cabinet.profile.read"})
	}
	change := func(citizenship string) {
		t.Helper()
		w.write(t, func(ctx context.Context, tx pgx.Tx) error {
			return profile.Apply(ctx, tx, []profile.Person{{ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956-03", Citizenship: citizenship}}, noon)
		})
		if err := w.signals.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	type answer struct {
		Events []struct{ Jti, Kind, Sub string }
		Cursor string
	}
	events := func(client, query string) (a answer) {
		t.Helper()
		got, body := w.call(t, "/api/v1/events"+query, token(client))
		if got.StatusCode != http.StatusOK {
			t.Fatalf("%s%s: %d %s", client, query, got.StatusCode, body)
		}
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	put := func(client, body string) (int, string) {
		t.Helper()
		header := http.Header{"Authorization": {"Bearer " + token(client)}, "Content-Type": {"application/json"}}
		got, text := w.send(t, http.MethodPut, "/api/v1/subscription", body, header)
		return got.StatusCode, string(text)
	}

	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return signal.Hold(ctx, tx, []signal.Grant{{ID: uuid.New(), Person: anna, ClientID: "tax", Scope: "offline_access cabinet.profile", At: noon}}, noon)
	})
	empty := events("tax", "")
	for body, field := range map[string]string{
		`{"url":"http://tax.example/"}`:            "/url",
		`{"url":"https://a:b@tax.example/"}`:       "/url",
		`{"url":"https://tax.example/#x"}`:         "/url",
		`{"url":"nowhere"}`:                        "/url",
		`{"url":"https://tax.example/","x":1}`:     "/x",
		`{"url":"https://tax.example/","after":1}`: "/after",
		`{"after":"soon"}`:                         "/after",
	} {
		if status, text := put("tax", body); status != http.StatusBadRequest || !strings.Contains(text, `"`+field+`"`) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	const address = "https://tax.example/events"
	if status, text := put("tax", `{"url":"`+address+`"}`); status != http.StatusOK || !strings.Contains(text, address) {
		t.Errorf("%d %s", status, text)
	}
	before, text := w.call(t, "/api/v1/subscription", token("tax"))
	if status, said := put("tax", `{"url":"https://tax.example/elsewhere","after":"9"}`); status != http.StatusGone || !strings.Contains(said, `"code":"gone"`) {
		t.Errorf("after a place that is none: %d %s", status, said)
	}
	after, said := w.call(t, "/api/v1/subscription", token("tax"))
	if after.Header.Get("ETag") != before.Header.Get("ETag") {
		t.Errorf("after a place that is none: it was %s and is %s", text, said)
	}
	change("PL")
	first := events("tax", "")
	if len(first.Events) != 1 || first.Events[0].Kind != "profile-changed" || first.Events[0].Sub != annasNumber {
		t.Fatalf("got %+v", first)
	}
	if again := events("tax", "?after="+empty.Cursor); again.Events[0] != first.Events[0] {
		t.Errorf("got %+v, want %+v", again, first)
	}
	if rest := events("tax", "?after="+first.Cursor); len(rest.Events) != 0 || rest.Cursor != first.Cursor {
		t.Errorf("got %+v", rest)
	}
	if _, body := w.call(t, "/api/v1/subscription", token("tax")); !bytes.Contains(body, []byte(`"waiting":1`)) || !bytes.Contains(body, []byte(address)) {
		t.Errorf("got %s", body)
	}
	if others := events("bank", ""); len(others.Events) != 0 || others.Cursor != empty.Cursor {
		t.Errorf("another was told %+v", others)
	}
	if _, body := w.call(t, "/api/v1/subscription", token("bank")); bytes.Contains(body, []byte("tax")) {
		t.Errorf("another was shown %s", body)
	}
	answered, _ := w.call(t, "/api/v1/events", token("tax"))
	kept := http.Header{"Authorization": {"Bearer " + token("tax")}, "If-None-Match": {answered.Header.Get("ETag")}}
	if got, _ := w.send(t, http.MethodGet, "/api/v1/events", "", kept); got.StatusCode != http.StatusNotModified {
		t.Errorf("what was kept: %d", got.StatusCode)
	}

	for query, want := range map[string]string{
		"?after=x":                           `400 invalid_parameter`,
		"?after=9":                           `410 gone`,
		"?since=yesterday":                   `400 invalid_parameter`,
		"?since=2026-01-01T00:00:00Z":        `410 gone`,
		"?since=2026-05-12T11:00:00%2B03:00": `200 `,
	} {
		got, body := w.call(t, "/api/v1/events"+query, token("tax"))
		var problem struct{ Code string }
		if err := json.Unmarshal(body, &problem); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(got.StatusCode, " ", problem.Code); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}

	var (
		waiting sync.WaitGroup
		late    answer
	)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v1/events?wait=30&after="+first.Cursor, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token("tax"))
	waiting.Go(func() {
		got, err := http.DefaultClient.Do(r)
		if err == nil {
			defer got.Body.Close()
			err = json.NewDecoder(got.Body).Decode(&late)
		}
		if err != nil {
			t.Error(err)
		}
	})
	change("LT")
	waiting.Wait()
	if len(late.Events) != 1 || late.Events[0].Jti == first.Events[0].Jti {
		t.Errorf("waited for %+v", late)
	}
	w.later.Store(int64(31 * 24 * time.Hour))
	w.hear(t, noon.Add(31*24*time.Hour))
	if err := w.signals.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, body := w.call(t, "/api/v1/events?after="+first.Cursor, token("tax")); got.StatusCode != http.StatusGone {
		t.Errorf("what was dropped: %d %s", got.StatusCode, body)
	}
	if status, text := put("tax", `{"url":"`+address+`","after":"`+first.Cursor+`"}`); status != http.StatusGone {
		t.Errorf("to be told what was dropped: %d %s", status, text)
	}
	for _, after := range []string{"0", late.Cursor} {
		if status, text := put("tax", `{"url":"`+address+`","after":"`+after+`"}`); status != http.StatusOK || !strings.Contains(text, `"told":"`+after+`"`) {
			t.Errorf("to be told after %s: %d %s", after, status, text)
		}
	}
}

// Who has seen how it goes with telling a client changes that and nothing newer, whoever else changes it at the same moment (RFC 9110 §13.1.1).
func TestASubscriptionIsChangedAsItWasSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.provider.AccessToken(w.url, map[string]any{"sub": "tax", "client_id": "tax", "scope": "cabinet.profile.read"})
	put := func(url string, seen ...string) (status int, body string) {
		t.Helper()
		header := http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
		if seen != nil {
			header["If-Match"] = seen
		}
		got, text := w.send(t, http.MethodPut, "/api/v1/subscription", `{"url":"`+url+`"}`, header)
		stands := got.Header.Get("Content-Location") == "/api/v1/subscription"
		if tag := got.Header.Get("ETag"); tag != "" || stands != (got.StatusCode == http.StatusOK) { // RFC 9110 §9.3.4
			t.Errorf("%d has the ETag %q, of %q", got.StatusCode, tag, got.Header.Get("Content-Location"))
		}
		return got.StatusCode, string(text)
	}
	read := func() (tag, body string) {
		t.Helper()
		got, text := w.call(t, "/api/v1/subscription", token)
		return got.Header.Get("ETag"), string(text)
	}
	none, _ := read()
	seen := none
	for _, story := range []string{"there is none", "there is one"} {
		var (
			all    sync.WaitGroup
			status [2]int
		)
		held, err := w.pool.Begin(t.Context()) // both are on their way before either is there
		if err == nil {
			_, err = held.Exec(t.Context(), `LOCK TABLE subscriber IN SHARE MODE`)
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range status {
			all.Go(func() { status[i], _ = put("https://tax.example/"+uuid.NewString(), seen) })
		}
		const wait = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		for waiting := 0; waiting < len(status) && err == nil; err = w.pool.QueryRow(t.Context(), wait).Scan(&waiting) {
		}
		if err == nil {
			err = held.Commit(t.Context())
		}
		all.Wait()
		if slices.Sort(status[:]); err != nil || status != [2]int{http.StatusOK, http.StatusPreconditionFailed} {
			t.Errorf("two who have seen that %s are answered %v, %v", story, status, err)
		}
		seen, _ = read()
	}
	_, before := read()
	for name, match := range map[string][]string{"older": {none}, "weak": {"W/" + seen}, "none": {"x"}, "empty": {""}} {
		status, body := put("https://tax.example/other", match...)
		if _, after := read(); status != http.StatusPreconditionFailed || !strings.Contains(body, `"code":"stale"`) || after != before {
			t.Errorf("%s: %d %s, and then %s", name, status, body, after)
		}
	}
	for _, match := range [][]string{{`"x", ` + seen}, {"*"}, nil} {
		address := "https://tax.example/" + uuid.NewString()
		status, body := put(address, match...)
		if _, now := read(); status != http.StatusOK || !strings.Contains(body, address) || now != body {
			t.Errorf("%q: %d %s, and then %s", match, status, body, now)
		}
	}
}

// A subscription that cannot be written whole, with the answer that is given again, is as it was before; and asked again, it is there.
func TestASubscriptionIsChangedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.provider.AccessToken(w.url, map[string]any{"sub": "tax", "client_id": "tax", "scope": "cabinet.profile.read"})
	put := func(url string) (int, string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, w.url+"/api/v1/subscription", strings.NewReader(`{"url":"`+url+`"}`))
		r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": {url}}
		got := httptest.NewRecorder()
		w.cabinet.Handler().ServeHTTP(got, r)
		return got.Code, got.Body.String()
	}
	read := func() string {
		t.Helper()
		_, body := w.call(t, "/api/v1/subscription", token)
		return string(body)
	}
	for _, story := range []string{"there-is-none", "there-is-one"} {
		address, before := "https://tax.example/"+story, read()
		for _, fault := range []struct{ verb, table string }{{"INSERT", "subscriber"}, {"UPDATE", "subscriber"}, {"INSERT", "answer"}} {
			heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
			if status, body := put(address); status != http.StatusInternalServerError {
				t.Errorf("%s, %s of %s fails: %d %s", story, fault.verb, fault.table, status, body)
			}
			heal()
			if after := read(); after != before {
				t.Errorf("%s, %s of %s fails: it was %s and is %s", story, fault.verb, fault.table, before, after)
			}
		}
		status, body := put(address)
		if again, same := put(address); status != http.StatusOK || again != status || same != body || !strings.Contains(read(), address) {
			t.Errorf("%s, healed: %d %s, again %d %s, and it is %s", story, status, body, again, same, read())
		}
	}
}
