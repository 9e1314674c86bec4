package clerk_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/factor"
	"asoba.example/login/identity/identitytest"
	"asoba.example/provider/api"
)

// Who of the staff has a passkey serves by a sign-in with it and by no other; until then by a password and a code. The answer asks for
// another sign-in, although the level of this one would do (RFC 9470 §3).
func TestWhoHasAPasskeyServesByIt(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := w.Active(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Minsk-1", Role: clerk.AtDesk}, uuid.Nil, identitytest.Noon); err != nil {
		t.Fatal(err)
	}
	gate := clerk.Gate{Clerks: clerks, Now: func() time.Time { return identitytest.Noon.Add(time.Hour) }}
	enters := func(amr ...string) bool {
		t.Helper()
		answer := httptest.NewRecorder()
		token := api.Token{
			Subject: id.Reveal(), GID: "grant", Scheme: api.Bearer, ACR: "substantial", AMR: amr, AuthTime: identitytest.Noon.Add(time.Hour),
		}
		c, err := gate.Own(answer, httptest.NewRequest(http.MethodPost, "/desk/blocks", nil), token, clerk.Serve, 0)
		if err == nil && c.Person != person {
			t.Errorf("it is %v", c)
		}
		if asks := strings.Contains(answer.Header().Get("WWW-Authenticate"), `max_age="0"`); asks != (err != nil) {
			t.Errorf("by %v: %v, and the answer is %v", amr, err, answer.Header())
		}
		return err == nil
	}
	if !enters("pwd", "sms", "mfa") {
		t.Error("without a passkey the password and a code are not enough")
	}
	w.Exec(t, `INSERT INTO passkey (id, person_id, credential_id, credential, sign_count, added_at)
		VALUES (gen_random_uuid(), $1, 'id', 'sealed', 0, $2)`, person, identitytest.Noon)
	if enters("pwd", "sms", "mfa") || enters() {
		t.Error("with a passkey something less is enough")
	}
	if !enters(factor.ByPasskey.Methods()...) {
		t.Error("the passkey is not enough")
	}
}
