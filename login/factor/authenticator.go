package factor

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"asoba.example/login/identity"
	"asoba.example/login/throttle"
	"asoba.example/provider/audit"
)

// What an app is told, and every app understands: a key of the length of the hash (RFC 4226 §4 R6), SHA-1, six digits, a step of thirty
// seconds (RFC 6238 §4).
const (
	secretSize = 20
	stepFor    = 30 // seconds
)

// Authenticators keeps the authenticator apps of people, one each.
type Authenticators struct{ room }

// An Authenticator as its person sees it.
type Authenticator struct {
	AddedAt time.Time
	UsedAt  *time.Time
}

// Of gives a person's; false where there is none.
func (a *Authenticators) Of(ctx context.Context, person uuid.UUID) (Authenticator, bool, error) {
	const read = `SELECT added_at, used_at FROM authenticator WHERE person_id = $1`
	var found Authenticator
	err := a.pool.QueryRow(ctx, read, person).Scan(&found.AddedAt, &found.UsedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Authenticator{}, false, nil
	}
	if err != nil {
		return Authenticator{}, false, fmt.Errorf("look for an authenticator: %w", err)
	}
	return found, true, nil
}

// An Invitation is what an app is to take over: as an address, for a picture or a link, and the key alone, to be typed.
type Invitation struct{ URI, Key string }

// invitedFor is how long a key waits to be confirmed since it was last looked at.
const invitedFor = time.Hour

// Invite gives what the person's app is to take over. It stays the same on the same occasion until the app is bound, so that a page may be
// looked at again after the app has its key.
func (a *Authenticators) Invite(ctx context.Context, who identity.Identity, occasion string) (Invitation, error) {
	secret, err := a.invited(ctx, who, occasion)
	if err != nil {
		return Invitation{}, fmt.Errorf("invite an authenticator: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: a.site, AccountName: who.Identifier.String(), Secret: secret, Period: stepFor})
	if err != nil {
		return Invitation{}, fmt.Errorf("invite an authenticator: %w", err)
	}
	return Invitation{key.URL(), key.Secret()}, nil
}

// invited gives the key that waits on an occasion, or a new one, which is kept sealed.
func (a *Authenticators) invited(ctx context.Context, who identity.Identity, occasion string) ([]byte, error) {
	name, err := a.invitation(who, occasion)
	if err != nil {
		return nil, err
	}
	fresh := make([]byte, secretSize)
	_, _ = rand.Read(fresh) // never fails: crypto/rand ends the program instead
	return a.drawn(ctx, name, fresh, invitedFor)
}

// invitation names in Redis the key of a person's that waits on an occasion.
func (a *Authenticators) invitation(who identity.Identity, occasion string) (string, error) {
	index, err := a.box.Index("authenticator:invitation", append(who.Person[:], occasion...))
	return "authenticator:" + hex.EncodeToString(index), err
}

// Add binds the app that has taken over the key of the same occasion and shows these digits, and tells the phone. ErrWrong says that it does
// not show them; identity.ErrState that the identifier is not Active or was acted upon since who was read, or that the person has an
// authenticator. Tries are not counted: whoever may add one has the key before them. Whether the person came by the strongest factor they
// have is for the caller to see to.
func (a *Authenticators) Add(ctx context.Context, who identity.Identity, occasion, digits string, act identity.Act) error {
	secret, err := a.invited(ctx, who, occasion)
	if err != nil {
		return fmt.Errorf("add an authenticator: %w", err)
	}
	step, right := shows(secret, digits, act.At, 0)
	if !right {
		return ErrWrong
	}
	sealed, err := a.box.Seal(secretPlace(who.Person), secret)
	if err != nil {
		return fmt.Errorf("add an authenticator: %w", err)
	}
	const insert = `
		INSERT INTO authenticator (person_id, secret, step, failures, added_at)
		VALUES ($1, $2, $3, 0, $4)
		ON CONFLICT (person_id) DO NOTHING`
	err = pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		if err := hold(ctx, tx, who); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, insert, who.Person, sealed, step, act.At)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return identity.ErrState
		}
		if err := audit.Record(ctx, tx, event(audit.AuthenticatorAdded, who.Person, "", act)); err != nil {
			return err
		}
		return a.registry.Tell(ctx, tx, who.Person, "sms.authenticator_added", act)
	})
	if err != nil {
		return fmt.Errorf("add an authenticator: %w", err)
	}
	// Another one, later on the same occasion, has another key.
	name, err := a.invitation(who, occasion)
	if err != nil {
		return err
	}
	_ = a.redis.Del(context.WithoutCancel(ctx), name).Err() // bound it is, and the key is soon over
	return nil
}

// Check proves what a person's app shows. Each step is accepted once (RFC 6238 §5.2), with the one before and the one after it for clocks that
// differ (§6). ErrWrong says nothing more: not whether the person has an authenticator; a *WaitError that there were too many tries.
//
// home is what the browser is known by to this person, nil elsewhere: it has a budget of its own. After so many wrong answers in a row an authenticator
// proves nothing at strange browsers (NIST SP 800-63B-4 §3.2.2), until a right one comes from a known browser or it is bound anew: whoever has
// only the password can neither guess it nor take it from its owner.
func (a *Authenticators) Check(ctx context.Context, p Purpose, person uuid.UUID, digits string, home []byte) (Proof, error) {
	try := a.try(ByAuthenticator, person, home)
	if err := a.take(ctx, try); err != nil {
		return Proof{}, err
	}
	const read = `
		SELECT a.secret, a.step, a.failures, i.changed_at
		FROM authenticator a JOIN identity i ON i.person_id = a.person_id
		WHERE a.person_id = $1 AND concat_ws(':', i.state, i.block_reason) = $2`
	var (
		sealed  []byte
		last    int64
		failed  int
		changed time.Time
	)
	err := a.pool.QueryRow(ctx, read, person, p.stance()).Scan(&sealed, &last, &failed, &changed)
	if errors.Is(err, pgx.ErrNoRows) {
		return Proof{}, ErrWrong
	}
	if err != nil {
		return Proof{}, fmt.Errorf("find an authenticator: %w", err)
	}
	secret, err := a.box.Open(secretPlace(person), sealed)
	if err != nil {
		return Proof{}, err
	}
	step, right := shows(secret, digits, a.now(), last)
	if !right || home == nil && failed >= a.failures() {
		const count = `UPDATE authenticator SET failures = failures + 1 WHERE person_id = $1`
		if _, err := a.pool.Exec(ctx, count, person); err != nil {
			return Proof{}, fmt.Errorf("count a wrong answer: %w", err)
		}
		return Proof{}, ErrWrong
	}
	if err := a.throttle.Forgive(ctx, try); err != nil {
		return Proof{}, err
	}
	return Proof{person, changed, ByAuthenticator, func(ctx context.Context, tx pgx.Tx, act identity.Act) error {
		const use = `
			UPDATE authenticator SET step = $3, failures = 0, used_at = $4
			WHERE person_id = $1 AND step = $2`
		tag, err := tx.Exec(ctx, use, person, last, step, act.At)
		return once(tag, err)
	}}, nil
}

// shows tells whether an app with this key shows these digits at about a time, and at which step: one later than the last that was accepted.
func shows(secret []byte, digits string, at time.Time, last int64) (step int64, right bool) {
	key, now := base32.StdEncoding.EncodeToString(secret), at.Unix()/stepFor
	for s := now - 1; s <= now+1; s++ {
		if s > last && hotp.Validate(digits, uint64(s), key) {
			return s, true
		}
	}
	return 0, false
}

// Remove removes a person's authenticator, and tells the phone. Where there is none nothing happens. Whether the person came by one as strong
// is for the caller to see to: what was lost is not given up by less (OWASP ASVS 5.0 6.4.4).
func (a *Authenticators) Remove(ctx context.Context, person uuid.UUID, act identity.Act) error {
	return pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		gone, err := a.remove(ctx, tx, person, "", act)
		if err != nil || !gone {
			return err
		}
		return a.registry.Tell(ctx, tx, person, "sms.authenticator_removed", act)
	})
}

func (a *Authenticators) forget(ctx context.Context, tx pgx.Tx, person uuid.UUID, act identity.Act) error {
	_, err := a.remove(ctx, tx, person, "unblocked", act)
	return err
}

func (a *Authenticators) remove(ctx context.Context, tx pgx.Tx, person uuid.UUID, why string, act identity.Act) (bool, error) {
	const remove = `DELETE FROM authenticator WHERE person_id = $1`
	tag, err := tx.Exec(ctx, remove, person)
	if err != nil {
		return false, fmt.Errorf("remove an authenticator: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	return true, audit.Record(ctx, tx, event(audit.AuthenticatorGone, person, why, act))
}

func secretPlace(person uuid.UUID) string { return "authenticator:secret:" + person.String() }

// try is what an answer that is typed counts against. Each known browser has a budget that nobody at another can use up.
func (r room) try(k Kind, person uuid.UUID, home []byte) throttle.Try {
	return throttle.Try{Limit: r.tries(), By: string(k) + " " + person.String() + string(home)}
}

// take counts a try.
func (r room) take(ctx context.Context, try throttle.Try) error {
	wait, err := r.throttle.Take(ctx, try)
	if err == nil && wait > 0 {
		err = &WaitError{wait}
	}
	return err
}
