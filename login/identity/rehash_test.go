package identity_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/migrations/pgtest"
)

// When another cost is settled, each password is hashed at it from its owner's next sign-in on.
func TestAPasswordOfAnotherCostIsHashedAnew(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := w.Active(t)
	pepper, err := w.Box.Key("password pepper")
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, pepper)
	mac.Write(person[:])
	mac.Write([]byte(identitytest.Static))
	weak, err := argon2id.CreateHash(string(mac.Sum(nil)), &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	w.Exec(t, `UPDATE identity SET password_hash = $2 WHERE person_id = $1`, person, weak)

	signIn := func(password string) (kept string) {
		t.Helper()
		_, err := w.Registry.Check(t.Context(), id, password, identity.AtHome, identity.Act{At: identitytest.Noon.Add(time.Hour)})
		if err != nil && !errors.Is(err, identity.ErrWrong) {
			t.Fatal(err)
		}
		if err := w.Pool.QueryRow(t.Context(), `SELECT password_hash FROM identity WHERE person_id = $1`, person).Scan(&kept); err != nil {
			t.Fatal(err)
		}
		return kept
	}
	heal := pgtest.FailOn(t, w.Pool, "UPDATE", "identity")
	if got := signIn(identitytest.Static); got != weak { // right all the same; it is done the next time
		t.Fatalf("over a broken table it was kept as %s", got)
	}
	heal()
	if got := signIn("not this one"); got != weak {
		t.Fatalf("a wrong password was kept as %s", got)
	}
	strong := signIn(identitytest.Static)
	if !strings.HasPrefix(strong, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("kept as %s", strong)
	}
	if got := signIn(identitytest.Static); got != strong {
		t.Errorf("kept once more, as %s", got)
	}
}
