package cabinet

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
)

// An act by the API is done whole, once, or not at all, at whichever trip to the database the program is killed; and whoever did not hear the
// answer asks again with the same key and is given it: the act's own, the second after its COMMIT was the last that was heard of it.
func TestWhoeverDidNotHearAsksAgainByTheSameKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, profile.Source{Name: "documents", Title: journal.Names{"": "Documents"}, Basis: journal.Names{"": "A law"}, URL: "http://127.0.0.1:1", Values: []string{"name_ru"}})
	const path = "/api/v1/profile/refreshes"
	token := w.provider.AccessToken(w.url, signIn())
	ask := func(token, key, occasion string) (status int, body string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(fmt.Sprintf(`{"occasion":%q}`, occasion)))
		r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": {key}}
		got := httptest.NewRecorder()
		if w.cabinet.Handler().ServeHTTP(got, r); got.Code != http.StatusInternalServerError { // which no document tells of
			w.held(t, r, got.Code, got.Header(), got.Body.Bytes())
		}
		return got.Code, got.Body.String()
	}
	done := func(story string, want int) {
		t.Helper()
		const count = `
			SELECT (SELECT count(*) FROM journal WHERE kind = $1), (SELECT count(*) FROM refresh WHERE due_at IS NOT NULL), (SELECT count(*) FROM answer)`
		var entries, asked, answers int
		if err := w.pool.QueryRow(t.Context(), count, journal.ProfileRefreshed).Scan(&entries, &asked, &answers); err != nil {
			t.Fatal(err)
		}
		if entries != want || asked != min(want, 1) || answers != want {
			t.Errorf("%s: %d entries, %d sources asked, %d answers are kept, want %d", story, entries, asked, answers, want)
		}
	}
	acts := 0
	again := func(story, key string) {
		t.Helper()
		status, first := ask(token, key, "order")
		if status != http.StatusOK || !strings.Contains(first, annasNumber) {
			t.Fatalf("%s: got %d %s", story, status, first)
		}
		done(story, acts)
		if status, second := ask(token, key, "order"); status != http.StatusOK || second != first {
			t.Errorf("%s, once more: got %d %s, want %s", story, status, second, first)
		}
		done(story+", once more", acts)
	}
	for trip, cut := 1, true; cut; trip++ {
		story := fmt.Sprintf("cut before trip %d", trip)
		mend := w.trips.CutAt(trip)
		status, text := ask(token, story, "order")
		if cut = mend(); cut != (status == http.StatusInternalServerError) {
			t.Errorf("%s: got %d %s", story, status, text)
		}
		if cut {
			done(story, acts)
		}
		acts++
		again(story, story)
	}
	mend := w.trips.LoseCommit(1)
	status, text := ask(token, "lost", "order")
	if !mend() || status != http.StatusInternalServerError {
		t.Errorf("the answer of COMMIT is lost: got %d %s", status, text)
	}
	acts++
	done("the answer of COMMIT is lost", acts)
	again("the answer of COMMIT is lost", "lost")

	if status, text := ask(token, "lost", "decision"); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"idempotency_key_reused"`) {
		t.Errorf("for something else: got %d %s", status, text)
	}
	if status, text := ask(token, strings.Repeat("k", 256), "order"); status != http.StatusBadRequest || !strings.Contains(text, `"invalid_idempotency_key"`) {
		t.Errorf("by a long key: got %d %s", status, text)
	}
	done("refused", acts)
	tax := signIn()
	tax["client_id"] = "tax"
	if status, text := ask(w.provider.AccessToken(w.url, tax), "lost", "decision"); status != http.StatusOK {
		t.Errorf("another client's key: got %d %s", status, text)
	}
	acts++
	done("another client's key", acts)
	var readable int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM answer WHERE position($1 IN encode(sealed, 'escape') || caller) > 0`, annasNumber).Scan(&readable); err != nil || readable != 0 {
		t.Errorf("%d answers can be read, %v", readable, err)
	}

	w.end(t, access.Ended{ID: anna, At: noon})
	if status, text := ask(token, "lost", "order"); status != http.StatusUnauthorized || strings.Contains(text, annasNumber) {
		t.Errorf("after a block: got %d %s", status, text)
	}
	w.later.Store(int64(time.Hour))
	if err := w.answers.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kept int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM answer`).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d answers are kept after their hour, %v", kept, err)
	}
}
