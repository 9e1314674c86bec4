package factor_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/factor"
	"asoba.example/login/factor/factortest"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/throttle"
	"asoba.example/provider/grant"
)

const (
	site     = "idp.example"
	issuer   = "https://idp.example"
	occasion = "an interaction"
)

// A world is people with identifiers, and what they prove themselves by.
type world struct {
	*identitytest.World
	*factor.Factors
	at time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: identitytest.New(t), at: identitytest.Noon.Add(time.Hour)}
	var err error
	w.Factors, err = factor.New(w.config(issuer))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) config(issuer string) factor.Config {
	now := func() time.Time { return w.at }
	return factor.Config{
		Pool: w.Pool, Redis: w.Redis, Box: w.Box, Jobs: w.Jobs, Registry: w.Registry, Issuer: issuer, Now: now,
		Cleaner:  &grant.Cleaner{Pool: w.Pool, Denials: w.Denials, Sessions: w.Sessions, Now: now},
		Throttle: &throttle.Throttle{Redis: w.Redis, Key: []byte("tries"), Now: now},
		Tries:    func() throttle.Limit { return throttle.Limit{Name: "factor", Tries: 5, In: 15 * time.Minute} },
		Failures: func() int { return 20 }, Waits: 24 * time.Hour,
	}
}

func (w *world) act() identity.Act { return identity.Act{At: w.at, Agent: "Firefox, Linux"} }

// active is somebody with an active identifier.
func (w *world) active(t *testing.T) identity.Identity {
	t.Helper()
	person, _ := w.Active(t)
	return w.of(t, person)
}

func (w *world) of(t *testing.T, person uuid.UUID) identity.Identity {
	t.Helper()
	who, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func (w *world) invite(t *testing.T, who identity.Identity) string {
	t.Helper()
	invitation, err := w.Passkeys.Invite(t.Context(), who, occasion)
	if err != nil {
		t.Fatal(err)
	}
	return invitation
}

func (w *world) add(t *testing.T, who identity.Identity, device *factortest.Device) error {
	t.Helper()
	return w.Passkeys.Add(t.Context(), who, occasion, device.Make(w.invite(t, who)), "Телефон", w.act())
}

// bound is a device with a passkey of somebody's.
func (w *world) bound(t *testing.T, who identity.Identity) *factortest.Device {
	t.Helper()
	device := factortest.New(t, issuer, site)
	if err := w.add(t, who, device); err != nil {
		t.Fatal(err)
	}
	return device
}

func (w *world) ask(t *testing.T) string {
	t.Helper()
	question, err := w.Passkeys.Ask(occasion)
	if err != nil {
		t.Fatal(err)
	}
	return question
}

func (w *world) check(t *testing.T, answer string) (factor.Proof, error) {
	t.Helper()
	return w.Passkeys.Check(t.Context(), factor.SignIn, occasion, answer, w.act())
}

// use signs in, as far as this room has a part in it.
func (w *world) use(t *testing.T, device *factortest.Device) (factor.Proof, error) {
	t.Helper()
	proof, err := w.check(t, device.Use(w.ask(t)))
	if err == nil {
		err = pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return proof.Use(t.Context(), tx, w.act()) })
	}
	return proof, err
}

func (w *world) list(t *testing.T, person uuid.UUID) []factor.Passkey {
	t.Helper()
	all, err := w.Passkeys.List(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPasskeySignsInItsPersonAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	for name, counts := range map[string]bool{"a device that counts": true, "a synced passkey, which does not count": false} {
		device := w.bound(t, who)
		device.Counts = counts
		for range 3 {
			w.at = w.at.Add(time.Minute)
			proof, err := w.use(t, device)
			if err != nil || proof.Person != who.Person || !proof.Changed.Equal(who.ChangedAt) {
				t.Fatalf("%s: %+v, %v", name, proof, err)
			}
		}
	}
	for _, k := range w.list(t, who.Person) {
		if k.Name != "Телефон" || k.UsedAt == nil || k.UsedAt.Before(k.AddedAt) {
			t.Errorf("the list says %+v", k)
		}
	}
	if who = w.of(t, who.Person); !who.Passkey {
		t.Error("the identity knows of no passkey")
	}
	if n := w.Count(t, `event WHERE kind = 'passkey.added' AND person_id = $1 AND agent = 'Firefox, Linux'`, who.Person); n != 2 {
		t.Errorf("%d passkeys recorded, want 2", n)
	}
	if n := w.Count(t, `sms_message WHERE person_id = $1 AND kind = 'notice'`, who.Person); n != 3 { // with that of the activation
		t.Errorf("%d notices, want 3", n)
	}
}

// What the authenticator learns of a person says nothing elsewhere, and is the same for each of their passkeys
// (WebAuthn Level 3 §14.6.1); it must verify its user and find the passkey by itself (§5.4.4, §5.4.6).
func TestAnInvitationNamesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	other := w.active(t)
	first, second := w.bound(t, who), w.bound(t, who)
	if string(first.Handle) != string(second.Handle) || string(first.Handle) == string(w.bound(t, other).Handle) {
		t.Error("a handle is not a person's")
	}
	text := w.invite(t, who)
	for _, secret := range []string{who.Identifier.Reveal(), who.Person.String(), base64.RawURLEncoding.EncodeToString(who.Person[:]), who.Phone.Reveal()} {
		if strings.Contains(text, secret) {
			t.Errorf("the invitation tells %s", secret)
		}
	}
	var asked struct {
		RP                     struct{ ID string }
		Attestation            string
		ExcludeCredentials     []struct{ ID string }
		AuthenticatorSelection struct {
			ResidentKey, UserVerification string
		}
	}
	if err := json.Unmarshal([]byte(text), &asked); err != nil {
		t.Fatal(err)
	}
	if asked.RP.ID != site || asked.Attestation != "none" || len(asked.ExcludeCredentials) != 2 ||
		asked.AuthenticatorSelection.ResidentKey != "required" || asked.AuthenticatorSelection.UserVerification != "required" {
		t.Errorf("asked for %+v", asked)
	}
	var question map[string]any
	if err := json.Unmarshal([]byte(w.ask(t)), &question); err != nil {
		t.Fatal(err)
	}
	if question["allowCredentials"] != nil || question["userVerification"] != "required" || question["rpId"] != site {
		t.Errorf("the question is %v", question)
	}
}

// WebAuthn Level 3 §7.2: what an answer must be.
func TestAWrongAnswerProvesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	other := w.bound(t, w.active(t))
	for name, answer := range map[string]func(*factortest.Device) string{
		"no JSON": func(*factortest.Device) string { return "passkey" },
		"of another page": func(d *factortest.Device) string {
			d.Origin = "https://idp.example.evil"
			return d.Use(w.ask(t))
		},
		"of another site's passkey": func(d *factortest.Device) string {
			d.RPID = "evil.example"
			return d.Use(w.ask(t))
		},
		"of a user who was not verified": func(d *factortest.Device) string {
			d.Absent = true
			return d.Use(w.ask(t))
		},
		"to a question that was not asked": func(d *factortest.Device) string {
			return d.Use(`{"challenge": "` + base64.RawURLEncoding.EncodeToString(make([]byte, 56)) + `"}`)
		},
		"to an invitation": func(d *factortest.Device) string { return d.Make(w.invite(t, who)) },
		"for another person": func(d *factortest.Device) string {
			d.Handle = other.Handle
			return d.Use(w.ask(t))
		},
		"for nobody": func(d *factortest.Device) string {
			d.Handle = nil
			return d.Use(w.ask(t))
		},
		"by another's key": func(d *factortest.Device) string {
			d.ID, d.Handle = other.ID, other.Handle
			return d.Use(w.ask(t))
		},
		"by an unknown passkey": func(d *factortest.Device) string {
			d.ID = []byte("nobody's")
			return d.Use(w.ask(t))
		},
		"too late": func(d *factortest.Device) string {
			question := w.ask(t)
			w.at = w.at.Add(24 * time.Hour)
			return d.Use(question)
		},
		"at another occasion": func(d *factortest.Device) string {
			question, err := w.Passkeys.Ask("another")
			if err != nil {
				t.Fatal(err)
			}
			return d.Use(question)
		},
	} {
		device := w.bound(t, who)
		if proof, err := w.check(t, answer(device)); !errors.Is(err, factor.ErrWrong) {
			t.Errorf("%s: %+v, %v", name, proof, err)
		}
		w.Exec(t, `DELETE FROM passkey WHERE person_id = $1`, who.Person)
	}
}

// A challenge is good once (WebAuthn Level 3 §13.4.3), be it for nothing.
func TestAnAnswerIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	device := w.bound(t, who)
	answer := device.Use(w.ask(t))
	if _, err := w.check(t, answer); err != nil {
		t.Fatal(err)
	}
	if _, err := w.check(t, answer); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("a second time: %v", err)
	}
	question := w.ask(t)
	device.Origin = "https://evil.example"
	if _, err := w.check(t, device.Use(question)); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("from another page: %v", err)
	}
	device.Origin = issuer
	if _, err := w.check(t, device.Use(question)); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("once more to a question that was answered: %v", err)
	}
	made := factortest.New(t, issuer, site).Make(w.invite(t, who))
	for _, want := range []error{nil, factor.ErrWrong} {
		if err := w.Passkeys.Add(t.Context(), who, occasion, made, "Телефон", w.act()); !errors.Is(err, want) {
			t.Errorf("adding: %v, want %v", err, want)
		}
	}
}

// Neither is it good again where Redis was emptied, as long as the challenge lives, and it passes for no copy of the passkey. Whoever answers others meanwhile
// is let in; what is over is kept no longer.
func TestAnAnswerIsGoodOnceThoughRedisIsEmptied(t *testing.T) {
	t.Parallel()
	for name, counts := range map[string]bool{"a device that counts": true, "a synced passkey, which does not count": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			who := w.active(t)
			device := w.bound(t, who)
			device.Counts = counts
			empty := func() {
				if err := w.Redis.FlushDB(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
			}
			answer := device.Use(w.ask(t))
			var proofs []factor.Proof
			for range 2 {
				proof, err := w.check(t, answer)
				if err != nil {
					t.Fatal(err)
				}
				proofs = append(proofs, proof)
				empty()
			}
			for i, want := range []error{nil, identity.ErrState} {
				if err := w.spend(t, proofs[i]); !errors.Is(err, want) {
					t.Errorf("use %d: %v, want %v", i, err, want)
				}
			}
			for range 2 {
				w.at = w.at.Add(12*time.Hour - time.Second)
				empty()
				if proof, err := w.check(t, answer); !errors.Is(err, factor.ErrWrong) || proof.Person != uuid.Nil {
					t.Errorf("once more: %+v, %v", proof, err)
				}
				if _, err := w.use(t, device); err != nil {
					t.Errorf("to another question: %v", err)
				}
			}
			w.at = w.at.Add(13 * time.Hour)
			if _, err := w.use(t, device); err != nil {
				t.Fatal(err)
			}
			if n := w.Count(t, `passkey_answer`); n != 2 {
				t.Errorf("%d answers are kept, want 2", n)
			}
		})
	}
}

// WebAuthn Level 3 §7.1: what a new passkey must be.
func TestAWrongPasskeyIsNotBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	other := w.active(t)
	for name, change := range map[string]func(*factortest.Device){
		"made at another page":           func(d *factortest.Device) { d.Origin = "http://idp.example" },
		"made for another site":          func(d *factortest.Device) { d.RPID = "evil.example" },
		"whose user was not verified":    func(d *factortest.Device) { d.Absent = true },
		"that is another person's":       func(d *factortest.Device) { d.ID = w.bound(t, other).ID },
		"that the person has here":       func(d *factortest.Device) { d.ID = w.bound(t, who).ID },
		"with an id that cannot be kept": func(d *factortest.Device) { d.ID = make([]byte, 1024) },
	} {
		device := factortest.New(t, issuer, site)
		change(device)
		before := w.Contents(t)
		if err := w.add(t, who, device); !errors.Is(err, factor.ErrWrong) {
			t.Errorf("%s: %v", name, err)
		}
		if w.Contents(t) != before {
			t.Errorf("%s: it left something behind", name)
		}
	}
}

// A counter that goes back says that there are two of a passkey (WebAuthn Level 3 §6.1.1). We cannot tell which of the
// two is the thief's: neither signs in, and what the other may have begun has ended.
func TestOfTwoOfAPasskeyNeitherSignsIn(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]uint32{"goes back": 2, "stands still": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			who := w.active(t)
			device, spare := w.bound(t, who), w.bound(t, who)
			for range 3 {
				if _, err := w.use(t, device); err != nil {
					t.Fatal(err)
				}
			}
			thief := *device
			thief.Count -= back
			if proof, err := w.use(t, &thief); !errors.Is(err, factor.ErrWrong) || proof.Person != who.Person {
				t.Fatalf("the second: %+v, %v", proof, err)
			}
			if _, err := w.use(t, device); !errors.Is(err, factor.ErrWrong) {
				t.Errorf("the first, afterwards: %v", err)
			}
			if _, err := w.use(t, spare); err != nil {
				t.Errorf("another passkey of the person: %v", err)
			}
			for what, from := range map[string]string{
				"the removal": `event WHERE kind = 'passkey.removed' AND person_id = $1 AND detail->>'why' = 'cloned'`,
				"the end":     `event WHERE kind = 'sessions.ended' AND person_id = $1 AND detail->>'why' = 'cloned'`,
				"an end":      `ended WHERE person_id = $1`,
			} {
				if n := w.Count(t, from, who.Person); n != 1 {
					t.Errorf("%s: %d times", what, n)
				}
			}
		})
	}
}

// Two answers at one moment: one of them is used.
func TestOfTwoAnswersAtOnceOneIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.bound(t, w.active(t))
	var proofs []factor.Proof
	for range 2 {
		proof, err := w.check(t, device.Use(w.ask(t)))
		if err != nil {
			t.Fatal(err)
		}
		proofs = append(proofs, proof)
	}
	for i, want := range []error{nil, identity.ErrState} {
		err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return proofs[i].Use(t.Context(), tx, w.act()) })
		if !errors.Is(err, want) {
			t.Errorf("answer %d: %v, want %v", i, err, want)
		}
	}
}

// Only an active identifier has passkeys. After an unblocking they are gone: the person begins as at the issuance.
func TestABlockMakesPasskeysWorthless(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	device := w.bound(t, who)
	if err := w.Registry.Block(t.Context(), who.Person, identity.Desk, w.act()); err != nil {
		t.Fatal(err)
	}
	refused := func(when string) {
		t.Helper()
		if proof, err := w.use(t, device); !errors.Is(err, factor.ErrWrong) || proof.Person != uuid.Nil {
			t.Errorf("%s: %+v, %v", when, proof, err)
		}
		before := w.Contents(t)
		if err := w.add(t, w.of(t, who.Person), factortest.New(t, issuer, site)); !errors.Is(err, identity.ErrState) {
			t.Errorf("%s another is added: %v", when, err)
		}
		if w.Contents(t) != before {
			t.Errorf("%s something is left behind", when)
		}
	}
	refused("blocked")
	w.at = w.at.Add(time.Minute)
	if err := w.Registry.Unblock(t.Context(), who.Person, identity.Phone{}, w.act()); err != nil {
		t.Fatal(err)
	}
	refused("with a temporary password")
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return w.Forget(t.Context(), tx, who.Person, w.act()) })
	if err != nil {
		t.Fatal(err)
	}
	if got := w.list(t, who.Person); len(got) != 0 {
		t.Errorf("these are left: %+v", got)
	}
	if n := w.Count(t, `event WHERE kind = 'passkey.removed' AND person_id = $1 AND detail->>'why' = 'unblocked'`, who.Person); n != 1 {
		t.Errorf("%d removals recorded, want 1", n)
	}
}

// Who was read before the identifier was acted upon adds nothing.
func TestAnActInBetweenIsMinded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	err := w.Registry.ChangePassword(t.Context(), who.Person, identitytest.Static, "луна ходит по корове", w.act())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.add(t, who, factortest.New(t, issuer, site)); !errors.Is(err, identity.ErrState) {
		t.Errorf("got %v", err)
	}
}

func TestAPersonRemovesTheirOwnOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who, other := w.active(t), w.active(t)
	device := w.bound(t, who)
	id := w.list(t, who.Person)[0].ID
	if err := w.Passkeys.Remove(t.Context(), other.Person, id, w.act()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.use(t, device); err != nil {
		t.Fatalf("after another has removed it: %v", err)
	}
	for range 2 { // a second press is none
		if err := w.Passkeys.Remove(t.Context(), who.Person, id, w.act()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.use(t, device); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("after its person has removed it: %v", err)
	}
	if n := w.Count(t, `event WHERE kind = 'passkey.removed' AND detail IS NULL`); n != 1 {
		t.Errorf("%d removals recorded, want 1", n)
	}
}

func TestNobodyHasMoreThanTen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	for range factor.Most {
		w.bound(t, who)
	}
	if err := w.add(t, who, factortest.New(t, issuer, site)); !errors.Is(err, factor.ErrWrong) {
		t.Errorf("one more: %v", err)
	}
}

// Each act is done with its record and its notice, or not at all.
func TestActsLeaveNothingHalfDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	device := factortest.New(t, issuer, site)
	w.BreakEach(t, func() error {
		invitation, err := w.Passkeys.Invite(t.Context(), who, occasion)
		if err != nil {
			return err
		}
		return w.Passkeys.Add(t.Context(), who, occasion, device.Make(invitation), "Телефон", w.act())
	})
	id := w.list(t, who.Person)[0].ID
	w.BreakEach(t, func() error { return w.Passkeys.Remove(t.Context(), who.Person, id, w.act()) })
	if err := w.add(t, who, device); err != nil {
		t.Fatal(err)
	}
	if _, err := w.use(t, device); err != nil {
		t.Fatal(err)
	}
	device.Counts = false
	w.BreakEach(t, func() error {
		_, err := w.check(t, device.Use(w.ask(t)))
		if errors.Is(err, factor.ErrWrong) {
			return nil
		}
		return err
	})
	if n := w.Count(t, `passkey`); n != 0 {
		t.Errorf("%d passkeys are left of which there are two", n)
	}
}

// Who has only the database can make nobody a passkey: neither by a row of their own, nor by another person's.
func TestARowProvesNothingInAnothersPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who, thief := w.active(t), w.active(t)
	device := w.bound(t, thief)
	w.Exec(t, `UPDATE passkey SET person_id = $1`, who.Person)
	if _, err := w.use(t, device); err == nil || errors.Is(err, factor.ErrWrong) {
		t.Errorf("moved to another person: %v", err)
	}
	var dump string
	if err := w.Pool.QueryRow(t.Context(), `SELECT string_agg(encode(credential, 'escape'), '') FROM passkey`).Scan(&dump); err != nil || strings.Contains(dump, "Name") {
		t.Errorf("the table tells: %s, %v", dump, err)
	}
}

// Redis is told neither who answers nor what.
func TestRedisIsToldNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.active(t)
	device := w.bound(t, who)
	if _, err := w.use(t, device); err != nil {
		t.Fatal(err)
	}
	keys, err := w.Redis.Keys(t.Context(), "passkey:*").Result()
	if err != nil || len(keys) != 2 {
		t.Fatalf("%q, %v", keys, err)
	}
	for _, key := range keys {
		ttl, err := w.Redis.TTL(t.Context(), key).Result()
		value := w.Redis.Get(t.Context(), key).Val()
		if err != nil || ttl <= 0 || ttl > 24*time.Hour || value != "" || strings.Contains(key, occasion) {
			t.Errorf("%s is kept for %v: %q, %v", key, ttl, value, err)
		}
	}
}

// Where the issuer has no name that browsers know nobody has a passkey, and all else works.
func TestAnIssuerMayBeAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, address := range []string{"http://127.0.0.1:8080", "http://[::1]:8080", "http://idp:8080", "http://localhost:8080"} {
		_, err := factor.New(w.config(address))
		if err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
