package factor_test

import (
	"encoding/base32"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/factor"
	"asoba.example/login/factor/factortest"
	"asoba.example/login/identity"
)

// app gives the key of somebody's app that is bound.
func (w *world) app(t *testing.T, who identity.Identity) string {
	t.Helper()
	invitation, err := w.Authenticators.Invite(t.Context(), who, occasion)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Authenticators.Add(t.Context(), who, occasion, factortest.Shows(t, invitation.Key, w.at), w.act()); err != nil {
		t.Fatal(err)
	}
	w.at = w.at.Add(time.Minute)
	return invitation.Key
}

// atHome is what a browser of the person's is known by.
var atHome = []byte("home")

// types signs in with what an app shows, as far as this room has a part in it.
func (w *world) types(t *testing.T, who identity.Identity, digits string, home []byte) error {
	t.Helper()
	proof, err := w.Authenticators.Check(t.Context(), factor.SignIn, who.Person, digits, home)
	if err != nil {
		return err
	}
	return w.spend(t, proof)
}

func (w *world) spend(t *testing.T, proof factor.Proof) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return proof.Use(t.Context(), tx, w.act()) })
}

// An app has its key from us, of 160 bits (RFC 4226 §4 R6), and counts only when it has shown that it took it over.
func TestAnAuthenticatorIsBoundByWhatItShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	invitation, err := w.Authenticators.Invite(t.Context(), who, occasion)
	if err != nil {
		t.Fatal(err)
	}
	uri, err := url.Parse(invitation.URI)
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" || uri.Query().Get("secret") != invitation.Key || uri.Query().Get("issuer") != site {
		t.Errorf("invited by %s: %v", uri, err)
	}
	for _, secret := range []string{who.Identifier.Reveal(), who.Person.String(), who.Phone.Reveal()} {
		if strings.Contains(invitation.URI, secret) {
			t.Errorf("the invitation tells %s", secret)
		}
	}
	if secret, err := base32.StdEncoding.DecodeString(invitation.Key); err != nil || len(secret) != 20 {
		t.Errorf("a key of %d bytes, %v", len(secret), err)
	}
	again, err := w.Authenticators.Invite(t.Context(), who, occasion)
	if err != nil || again != invitation {
		t.Errorf("looked at again, the page shows another key: %v", err)
	}
	if other, err := w.Authenticators.Invite(t.Context(), who, "another"); err != nil || other.Key == invitation.Key {
		t.Errorf("another session shows the same key: %v", err)
	}
	before := w.Contents(t)
	if err := w.Authenticators.Add(t.Context(), who, occasion, "000000", w.act()); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("by wrong digits: %v", err)
	}
	if err := w.Authenticators.Add(t.Context(), who, "another", factortest.Shows(t, invitation.Key, w.at), w.act()); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("by the digits of another occasion: %v", err)
	}
	if w.Contents(t) != before || w.of(t, who.Person).Authenticator {
		t.Error("a wrong confirmation left something behind")
	}
	w.app(t, who)
	if !w.of(t, who.Person).Authenticator {
		t.Error("the identity knows of no authenticator")
	}
	again, err = w.Authenticators.Invite(t.Context(), who, occasion)
	if err != nil || again.Key == invitation.Key {
		t.Errorf("once bound, the page shows the same key: %v", err)
	}
	if err := w.Authenticators.Add(t.Context(), who, occasion, factortest.Shows(t, again.Key, w.at), w.act()); !errors.Is(err, identity.ErrState) {
		t.Errorf("a second one: %v", err)
	}
	if n := w.Count(t, `event WHERE kind = 'authenticator.added' AND person_id = $1 AND agent = 'Firefox, Linux'`, who.Person); n != 1 {
		t.Errorf("%d recorded, want 1", n)
	}
	if n := w.Count(t, `sms_message WHERE person_id = $1 AND kind = 'notice'`, who.Person); n != 2 { // with that of the activation
		t.Errorf("%d notices, want 2", n)
	}
	var dump string
	if err := w.Pool.QueryRow(t.Context(), `SELECT encode(secret, 'escape') FROM authenticator`).Scan(&dump); err != nil || strings.Contains(dump, invitation.Key) {
		t.Errorf("the table tells: %s, %v", dump, err)
	}
}

// What an app shows is accepted once (RFC 6238 §5.2), be it twice at one moment; the confirmation counts too.
func TestAStepIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	key := w.app(t, who)
	if err := w.types(t, who, factortest.Shows(t, key, w.at.Add(-time.Minute)), atHome); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("the digits of the confirmation: %v", err)
	}
	digits := factortest.Shows(t, key, w.at)
	var proofs []factor.Proof
	for range 2 {
		proof, err := w.Authenticators.Check(t.Context(), factor.SignIn, who.Person, digits, atHome)
		if err != nil || proof.Person != who.Person || proof.By != factor.ByAuthenticator || !proof.Changed.Equal(who.ChangedAt) {
			t.Fatalf("%+v, %v", proof, err)
		}
		proofs = append(proofs, proof)
	}
	for i, want := range []error{nil, identity.ErrState} {
		if err := w.spend(t, proofs[i]); !errors.Is(err, want) {
			t.Errorf("answer %d: %v, want %v", i, err, want)
		}
	}
	if err := w.types(t, who, digits, atHome); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("once more: %v", err)
	}
	w.at = w.at.Add(30 * time.Second)
	if err := w.types(t, who, factortest.Shows(t, key, w.at), atHome); err != nil {
		t.Errorf("the next digits: %v", err)
	}
}

// Tries at an authenticator are few at a time (NIST SP 800-63B-4 §3.2.2), and no one else's tries are the owner's.
func TestGuessersDoNotStopTheOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	key := w.app(t, who)
	failures := 0
	for range 5 {
		for range 5 {
			if err := w.types(t, who, "000000", nil); !errors.Is(err, factor.ErrWrong) {
				t.Fatal(err)
			}
			failures++
		}
		err := w.types(t, who, factortest.Shows(t, key, w.at), nil)
		if wait, ok := errors.AsType[*factor.WaitError](err); !ok || wait.For <= 0 || wait.For > 15*time.Minute {
			t.Fatalf("after %d wrong answers: %v", failures, err)
		}
		w.at = w.at.Add(15 * time.Minute)
	}
	if n := w.Count(t, `authenticator WHERE failures = $1`, failures); n != 1 {
		t.Error("the wrong answers are not counted in a row")
	}
	// More than twenty in a row: at strange browsers it proves nothing, whatever Redis forgets.
	w.Redis.FlushDB(t.Context())
	if err := w.types(t, who, factortest.Shows(t, key, w.at), nil); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("at a strange browser: %v", err)
	}
	if err := w.types(t, who, factortest.Shows(t, key, w.at), atHome); err != nil {
		t.Errorf("at a known browser: %v", err)
	}
	w.at = w.at.Add(time.Minute)
	if err := w.types(t, who, factortest.Shows(t, key, w.at), nil); err != nil {
		t.Errorf("at a strange browser, afterwards: %v", err)
	}
}

// A factor serves a purpose in the state that the purpose needs, and no other.
func TestAFactorIsWorthWhatItsStateAllows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, stance := range map[string]struct {
		reason identity.BlockReason // "" for not blocked
		good   []factor.Purpose
	}{
		"active":                {"", []factor.Purpose{factor.SignIn, factor.Recover}},
		"blocked by the person": {identity.Self, []factor.Purpose{factor.Unblock}},
		"blocked at the desk":   {identity.Desk, nil},
		"blocked for security":  {identity.Security, nil},
	} {
		who := w.active(t)
		device, key := w.bound(t, who), w.app(t, who)
		codes := w.codes(t, who)
		if stance.reason != "" {
			if err := w.Registry.Block(t.Context(), who.Person, stance.reason, w.act()); err != nil {
				t.Fatal(err)
			}
		}
		for _, purpose := range []factor.Purpose{factor.SignIn, factor.Recover, factor.Unblock} {
			want := factor.ErrWrong
			for _, good := range stance.good {
				if purpose == good {
					want = nil
				}
			}
			_, byPasskey := w.Passkeys.Check(t.Context(), purpose, occasion, device.Use(w.ask(t)), w.act())
			_, byApp := w.Authenticators.Check(t.Context(), purpose, who.Person, factortest.Shows(t, key, w.at), atHome)
			_, byCode := w.RecoveryCodes.Check(t.Context(), purpose, who.Person, codes[0], atHome)
			for by, err := range map[string]error{"passkey": byPasskey, "authenticator": byApp, "recovery code": byCode} {
				if !errors.Is(err, want) {
					t.Errorf("%s, %s by %s: %v, want %v", name, purpose, by, err, want)
				}
			}
		}
	}
}

// Who comes back from a block at the desk begins as at the issuance, with nothing bound.
func TestNoFactorSurvivesAnUnblockingAtTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	w.bound(t, who)
	w.app(t, who)
	w.codes(t, who)
	w.BreakEach(t, func() error {
		return pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return w.Forget(t.Context(), tx, who.Person, w.act()) })
	})
	if who := w.of(t, who.Person); who.Passkey || who.Authenticator || who.RecoveryCodes != 0 {
		t.Errorf("these are left: %+v", who)
	}
	const removals = `event WHERE kind IN ('passkey.removed', 'authenticator.removed', 'recovery_codes.removed') AND detail->>'why' = 'unblocked'`
	if n := w.Count(t, removals); n != 3 {
		t.Errorf("%d removals recorded, want 3", n)
	}
}

// Each act is done with its record and its notice, or not at all.
func TestActsUponTypedFactorsLeaveNothingHalfDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	invitation, err := w.Authenticators.Invite(t.Context(), who, occasion)
	if err != nil {
		t.Fatal(err)
	}
	w.BreakEach(t, func() error {
		return w.Authenticators.Add(t.Context(), who, occasion, factortest.Shows(t, invitation.Key, w.at), w.act())
	})
	w.BreakEach(t, func() error { return w.Authenticators.Remove(t.Context(), who.Person, w.act()) })
	var codes []string
	w.BreakEach(t, func() (err error) {
		codes, err = w.RecoveryCodes.Make(t.Context(), who, occasion, time.Time{}, w.act())
		return err
	})
	code, _ := factor.ParseRecoveryCode(codes[0])
	w.BreakEach(t, func() error { return w.typesCode(t, who, code) })
	if left := w.of(t, who.Person).RecoveryCodes; left != 9 {
		t.Errorf("%d codes are left, want 9", left)
	}
	if n := w.Count(t, `sms_message WHERE person_id = $1 AND kind = 'notice'`, who.Person); n != 5 {
		t.Errorf("%d notices, want 5", n)
	}
}
