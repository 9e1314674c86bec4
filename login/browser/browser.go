package browser

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/place"
	"asoba.example/provider/grant"
	"asoba.example/provider/session"
)

// Browsers remembers them, and knows who is signed in at them.
type Browsers struct {
	Pool     *pgxpool.Pool
	Secure   bool                 // https: __Host- cookie
	For      func() time.Duration // how long after its last sign-in a browser stays known; 180 days
	Sessions *session.Store
	Jobs     grant.Jobs
	Cleaner  *grant.Cleaner
	Now      func() time.Time
}

// most is how many browsers of one person are known at once. Each has tries at the password of its own, so they have an end; who closes a private
// window each time leaves one behind at each sign-in, and keeps the others for all that.
const most = 30

// Known tells whether this browser is known for the person.
func (b *Browsers) Known(ctx context.Context, r *http.Request, person uuid.UUID) (bool, error) {
	mine, err := b.KnownBy(ctx, r, person)
	return mine != nil, err
}

// KnownBy gives the digest that this browser is known by for the person; of a stranger none.
func (b *Browsers) KnownBy(ctx context.Context, r *http.Request, person uuid.UUID) (mine []byte, err error) {
	token, ok := b.token(r)
	if !ok {
		return nil, nil
	}
	const known = `
		SELECT token_hash FROM known_browser
		WHERE person_id = $1 AND token_hash = $2 AND till > $3`
	err = b.Pool.QueryRow(ctx, known, person, digest(person, token), b.Now()).Scan(&mine)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("look for a known browser: %w", err)
	}
	return mine, nil
}

// Remember makes this browser known for the person, in the transaction of the sign-in. It gives the digest that it is known by, and tells
// whether it was a stranger until now.
// A browser that already carries a token keeps it: it may be known for others of the family.
func (b *Browsers) Remember(ctx context.Context, tx pgx.Tx, w http.ResponseWriter, r *http.Request, person uuid.UUID, where place.Place) (mine []byte, stranger bool, err error) {
	token, ok := b.token(r)
	if !ok {
		token = make([]byte, 32)
		rand.Read(token) // never fails: it ends the program instead
	}
	at := b.Now()
	mine = digest(person, token)
	const tidy = `
		DELETE FROM known_browser
		WHERE person_id = $1 AND (till <= $2 OR token_hash IN (
			SELECT token_hash FROM known_browser
			WHERE person_id = $1 AND token_hash <> $3
			ORDER BY last_at DESC, token_hash
			OFFSET $4))`
	if _, err := tx.Exec(ctx, tidy, person, at, mine, most-1); err != nil {
		return nil, false, fmt.Errorf("forget browsers not seen for long: %w", err)
	}
	// xmax is 0 in a row that was inserted, and not in one that was updated.
	const remember = `
		INSERT INTO known_browser (person_id, token_hash, agent, place, first_at, last_at, till)
		VALUES ($1, $2, $3, $6, $4, $4, $5)
		ON CONFLICT (person_id, token_hash) DO UPDATE
		SET agent = EXCLUDED.agent, place = EXCLUDED.place, last_at = EXCLUDED.last_at, till = EXCLUDED.till
		RETURNING xmax = 0`
	if err := tx.QueryRow(ctx, remember, person, mine, Agent(r), at, at.Add(b.For()), where).Scan(&stranger); err != nil {
		return nil, false, fmt.Errorf("remember a browser: %w", err)
	}
	http.SetCookie(w, &http.Cookie{
		Name: b.cookie(), Value: base64.RawURLEncoding.EncodeToString(token), Path: "/",
		MaxAge: int(b.For() / time.Second), Secure: b.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return mine, stranger, nil
}

// Forget forgets all of a person's browsers, in the transaction that makes them strangers.
func (b *Browsers) Forget(ctx context.Context, tx pgx.Tx, person uuid.UUID) error {
	const forget = `
		DELETE FROM known_browser
		WHERE person_id = $1`
	if _, err := tx.Exec(ctx, forget, person); err != nil {
		return fmt.Errorf("forget a person's browsers: %w", err)
	}
	return nil
}

func (b *Browsers) token(r *http.Request) ([]byte, bool) {
	cookie, err := r.Cookie(b.cookie())
	if err != nil {
		return nil, false
	}
	token, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	return token, err == nil && len(token) == 32
}

func (b *Browsers) cookie() string {
	if b.Secure {
		return "__Host-idp_browser"
	}
	return "idp_browser"
}

func digest(person uuid.UUID, token []byte) []byte {
	sum := sha256.Sum256(append(person[:], token...))
	return sum[:]
}
