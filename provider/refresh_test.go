package provider_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"asoba.example/provider/grant"
)

// offline gives the answer to a code of a public client that holds a refresh token.
func (w *world) offline(scope string) answer {
	w.t.Helper()
	return w.redeem("app", w.browser().code("app", "scope", scope+" offline_access"))
}

// Of a public client a refresh token is good once; shown again after its grace it ends everything, to whom it was given last included
// (RFC 9700 §4.14.2), and that is recorded.
func TestAPublicClientsRefreshTokenRotates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.offline("openid")
	second := w.refresh("app", first.text("refresh_token"))
	second.check(t, http.StatusOK, "")
	if second.text("refresh_token") == first.text("refresh_token") || second.text("refresh_token") == "" {
		t.Error("the refresh token did not rotate")
	}
	w.pass(grant.Grace)
	w.refresh("app", first.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("app", second.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
	for _, access := range []string{first.text("access_token"), second.text("access_token")} {
		w.userinfo(access).check(t, http.StatusUnauthorized, "invalid_token")
	}
	if n := w.count(`event WHERE kind = 'grant.ended' AND detail = '{"why": "reused"}'`); n != 1 {
		t.Errorf("the end is recorded %d times", n)
	}
}

// A client whose answer was lost asks again and is given the same successor, in as many round trips as before.
func TestALostAnswerSignsNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.offline("openid").text("refresh_token")
	lost := w.refresh("app", token)
	w.pass(grant.Grace - time.Nanosecond)
	w.hook.take()
	w.trips.Take()
	got := w.refresh("app", token)
	if redis, psql := w.hook.take(), w.trips.Take(); redis != 0 || psql != 2 {
		t.Errorf("%d trips to Redis, %d to PostgreSQL", redis, psql)
	}
	got.check(t, http.StatusOK, "")
	if got.text("refresh_token") != lost.text("refresh_token") {
		t.Error("asked again, and given another refresh token")
	}
	w.userinfo(got.text("access_token")).check(t, http.StatusOK, "")
	w.refresh("app", got.text("refresh_token")).check(t, http.StatusOK, "")
}

// Whoever has used the successor has had the answer: the token before it is of a thief, however quick.
func TestTheGraceIsOverWhenTheSuccessorIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.offline("openid").text("refresh_token")
	second := w.refresh("app", first).text("refresh_token")
	third := w.refresh("app", second).text("refresh_token")
	w.refresh("app", first).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("app", third).check(t, http.StatusBadRequest, "invalid_grant")
}

// Of twenty who refresh with one token at once nobody is signed out, and one token is live afterwards.
func TestTwentyRefreshesAtOnceSignNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.offline("openid").text("refresh_token")
	var (
		got  [20]answer
		race sync.WaitGroup
	)
	for i := range got {
		race.Go(func() { got[i] = w.refresh("app", token) })
	}
	race.Wait()
	for _, a := range got {
		a.check(t, http.StatusOK, "")
		if a.text("refresh_token") != got[0].text("refresh_token") {
			t.Error("given another refresh token")
		}
		w.userinfo(a.text("access_token")).check(t, http.StatusOK, "")
	}
	if n := w.count(`refresh_token WHERE used_at IS NULL`); n != 1 {
		t.Errorf("%d tokens live, want 1", n)
	}
	w.refresh("app", got[0].text("refresh_token")).check(t, http.StatusOK, "")
}

// However often it is refreshed, nothing made from a sign-in outlives the term that began with it.
func TestARefreshTokenHasAnAbsoluteEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.offline("openid").text("refresh_token")
	for range 30 {
		w.pass(24*time.Hour - time.Minute)
		got := w.refresh("app", token)
		got.check(t, http.StatusOK, "")
		token = got.text("refresh_token")
	}
	w.pass(28 * time.Minute)
	got := w.refresh("app", token)
	if got.check(t, http.StatusOK, ""); got.body["expires_in"] != 120.0 {
		t.Errorf("an access token is good for %v s, of a grant that is for 120", got.body["expires_in"])
	}
	w.pass(2 * time.Minute)
	w.refresh("app", got.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
}

// A refresh looks at how the person stands now: whoever is blocked or has had their sign-ins ended is given nothing, by a used token least.
func TestNobodyWhoIsBlockedIsRefreshed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	used := w.offline("openid").text("refresh_token")
	tokens := []string{used, w.refresh("app", used).text("refresh_token")}
	kept := w.redeem("portal", w.browser().code("portal", "scope", "openid offline_access")).text("refresh_token")
	w.block()
	for _, token := range tokens {
		w.refresh("app", token).check(t, http.StatusBadRequest, "invalid_grant")
	}
	w.refresh("portal", kept).check(t, http.StatusBadRequest, "invalid_grant")
}

// A refresh token is its client's (RFC 6749 §6): of no use to another, or without authentication, and unharmed by their trying.
func TestARefreshTokenIsBoundToItsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.redeem("portal", w.browser().code("portal", "scope", "openid offline_access")).text("refresh_token")
	w.refresh("relaxed", token).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("app", token).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("", token).check(t, http.StatusUnauthorized, "invalid_client")
	w.refresh("", token, "client_id", "portal").check(t, http.StatusUnauthorized, "invalid_client")
	w.refresh("portal", token).check(t, http.StatusOK, "")
}

// The scope of a rotated token is the grant's (RFC 6749 §6): less that was asked for once is not for good.
func TestARotatedTokenIsOfTheWholeScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	narrow := w.refresh("app", w.offline("openid phone").text("refresh_token"), "scope", "openid")
	if got := narrow.text("scope"); got != "openid" {
		t.Errorf("got scope %q", got)
	}
	whole := w.refresh("app", narrow.text("refresh_token"))
	if got := whole.text("scope"); got != "openid phone offline_access" {
		t.Errorf("got scope %q", got)
	}
}
