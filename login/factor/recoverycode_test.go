package factor_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"asoba.example/login/factor"
	"asoba.example/login/identity"
)

// codes makes somebody a set of recovery codes, as they are typed.
func (w *world) codes(t *testing.T, who identity.Identity) []string {
	t.Helper()
	_, before, err := w.RecoveryCodes.Left(t.Context(), who.Person)
	if err != nil {
		t.Fatal(err)
	}
	made, err := w.RecoveryCodes.Make(t.Context(), who, occasion, before, w.act())
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range made {
		read, ok := factor.ParseRecoveryCode(strings.ToLower(code))
		if !ok {
			t.Fatalf("%s cannot be read", code)
		}
		made[i] = read
	}
	return made
}

// typesCode signs in with a recovery code, as far as this room has a part in it.
func (w *world) typesCode(t *testing.T, who identity.Identity, code string) error {
	t.Helper()
	proof, err := w.RecoveryCodes.Check(t.Context(), factor.SignIn, who.Person, code, atHome)
	if err != nil {
		return err
	}
	return w.spend(t, proof)
}

// A recovery code is good once, and its use is told (NIST SP 800-63B-4 §4.2.1.1).
func TestARecoveryCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who, other := w.active(t), w.active(t)
	codes, others := w.codes(t, who), w.codes(t, other)
	if slices.Sort(codes); len(slices.Compact(codes)) != 10 {
		t.Errorf("the codes are %d", len(codes))
	}
	proofs := make([]factor.Proof, 2)
	for i := range proofs {
		var err error
		if proofs[i], err = w.RecoveryCodes.Check(t.Context(), factor.SignIn, who.Person, codes[3], nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []error{nil, identity.ErrState} {
		if err := w.spend(t, proofs[i]); !errors.Is(err, want) {
			t.Errorf("answer %d: %v, want %v", i, err, want)
		}
	}
	for name, code := range map[string]string{"one that was used": codes[3], "another's": others[0], "nobody's": "AAAABBBBCCCCDDDD"} {
		if err := w.typesCode(t, who, code); !errors.Is(err, factor.ErrWrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, madeAt, err := w.RecoveryCodes.Left(t.Context(), who.Person); err != nil || left != 9 || !madeAt.Equal(w.at) {
		t.Errorf("%d are left of %v, %v", left, madeAt, err)
	}
	if n := w.Count(t, `event WHERE kind = 'recovery_code.used' AND person_id = $1 AND detail->>'purpose' = 'sign_in'`, who.Person); n != 1 {
		t.Errorf("%d uses recorded, want 1", n)
	}
	if n := w.Count(t, `sms_message WHERE person_id = $1 AND kind = 'notice'`, who.Person); n != 3 { // with those of the activation and of the set
		t.Errorf("%d notices, want 3", n)
	}
}

// A new set replaces the old one.
func TestANewSetReplacesTheOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	old := w.codes(t, who)
	fresh := w.codes(t, who)
	if err := w.typesCode(t, who, old[0]); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("one of the old: %v", err)
	}
	if err := w.typesCode(t, who, fresh[0]); err != nil {
		t.Errorf("one of the new: %v", err)
	}
}

// Nobody guesses a recovery code; who tries is slowed down, and stops the owner at no browser of theirs.
func TestGuessesAtRecoveryCodesAreSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	codes := w.codes(t, who)
	var err error
	for range 6 {
		_, err = w.RecoveryCodes.Check(t.Context(), factor.SignIn, who.Person, "AAAABBBBCCCCDDDD", nil)
	}
	if _, ok := errors.AsType[*factor.WaitError](err); !ok {
		t.Errorf("after five wrong ones: %v", err)
	}
	if err := w.typesCode(t, who, codes[0]); err != nil {
		t.Errorf("the owner, at a known browser: %v", err)
	}
	w.at = w.at.Add(15 * time.Minute)
	if _, err := w.RecoveryCodes.Check(t.Context(), factor.SignIn, who.Person, codes[1], nil); err != nil {
		t.Errorf("the owner, a quarter of an hour later: %v", err)
	}
}

// A code is read as people type it.
func TestRecoveryCodesAreReadAsTyped(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"ABCD-EFGH-2345-67OB":    "ABCDEFGH234567OB",
		" abcd efgh 2345 6708 ":  "ABCDEFGH234567OB",
		"abcdefgh234567ob":       "ABCDEFGH234567OB",
		"ABCD-EFGH-2345":         "",
		"ABCD-EFGH-2345-67OB-AB": "",
		"ABCD-EFGH-2345-671B":    "",
		"АБВГ-EFGH-2345-67OB":    "",
		"":                       "",
	} {
		if got, ok := factor.ParseRecoveryCode(typed); ok != (want != "") || ok && got != want {
			t.Errorf("%q is read as %q, %v", typed, got, ok)
		}
	}
}
