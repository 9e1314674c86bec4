package account_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/account"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/provider"
)

// Every question about people that the provider puts is one round trip, and the answer is what the scopes give.
func TestAccountsAnswerInOneTrip(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	accounts := account.Accounts{Box: w.Box}
	person, id := w.Active(t)
	gid := uuid.New()
	w.Exec(t, `INSERT INTO client_grant (id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, given_at, till)
		VALUES ($1, $2, 'portal', 's', '{}', '{}', now(), 'low', '{}', now(), now())`, gid, person)
	var (
		standing, granted, nobody provider.Standing
		claims, none, ofGrant     map[string]any
	)
	b := &pgx.Batch{}
	all := []string{"openid", "profile", "phone", "citizenship", "identification_number", "cabinet.profile"}
	accounts.Standing(b, person, &standing)
	accounts.Claims(b, person, all, &claims)
	accounts.Claims(b, person, []string{"openid", "offline_access"}, &none)
	accounts.Granted(b, gid, []string{"citizenship"}, &granted, &ofGrant)
	accounts.Standing(b, uuid.New(), &nobody)
	w.Trips.Take()
	if err := w.Pool.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
	if n := w.Trips.Take(); n != 1 {
		t.Errorf("%d round trips", n)
	}
	want := provider.Standing{Person: person, Identifier: id.Reveal(), Active: true}
	if standing != want || granted != want || nobody != (provider.Standing{}) {
		t.Errorf("standing: %v, %v, %v", standing, granted, nobody)
	}
	if want := map[string]any{
		"name": "Каваленка Алена Пятроўна", "family_name": "Каваленка", "given_name": "Алена", "middle_name": "Пятроўна",
		"gender": "female", "birthdate": "1956-03-08", "updated_at": identitytest.Noon.Add(time.Minute).Unix(),
		"phone_number": "+375291110001", "phone_number_verified": true,
		"citizenship": "BY", "identification_number": id.Reveal(),
	}; !maps.Equal(claims, want) {
		t.Errorf("claims: %v, want %v", claims, want)
	}
	if len(none) != 0 {
		t.Errorf("scopes without claims gave %v", none)
	}
	if want := map[string]any{"citizenship": "BY"}; !maps.Equal(ofGrant, want) {
		t.Errorf("claims of the grant's person: %v", ofGrant)
	}
}

func TestAStandingFallsWithTheIdentifier(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	ask := func(person uuid.UUID) (s provider.Standing) {
		t.Helper()
		b := &pgx.Batch{}
		account.Accounts{Box: w.Box}.Standing(b, person, &s)
		if err := w.Pool.SendBatch(t.Context(), b).Close(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	person, _ := w.Issued(t)
	if ask(person).Active {
		t.Error("a temporary identifier stands")
	}
	person, _ = w.Active(t)
	if err := w.Registry.Block(t.Context(), person, identity.Self, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if s := ask(person); s.Active || !s.Ended.Equal(identitytest.Noon.Add(time.Hour)) {
		t.Errorf("after a block: %v", s)
	}
}

// A date of birth that is known in part is told as far as OpenID Connect Core §5.1 can.
func TestAPartialBirthDate(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	for born, want := range map[string]string{"1956": "1956", "1956-03": "1956", "1956-03-08": "1956-03-08"} {
		w.Exec(t, `UPDATE person SET birth_date = $2 WHERE id = $1`, person, born)
		var claims map[string]any
		b := &pgx.Batch{}
		account.Accounts{Box: w.Box}.Claims(b, person, []string{"profile"}, &claims)
		if err := w.Pool.SendBatch(t.Context(), b).Close(); err != nil {
			t.Fatal(err)
		}
		if claims["birthdate"] != want {
			t.Errorf("%s: %v, want %s", born, claims["birthdate"], want)
		}
	}
}
