package browser

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// family is how many people's tokens a browser carries at most: of those who signed in there last.
const family = 8

// Known tells whether this browser is known for the person.
func (b *Browsers) Known(ctx context.Context, r *http.Request, person uuid.UUID) (bool, error) {
	mine, err := b.KnownBy(ctx, r, person)
	return mine != nil, err
}

// KnownBy gives the digest that this browser is known by for the person; of a stranger none.
func (b *Browsers) KnownBy(ctx context.Context, r *http.Request, person uuid.UUID) (mine []byte, err error) {
	const known = `
		SELECT token_hash FROM known_browser
		WHERE person_id = $1 AND token_hash = ANY ($2) AND till > $3`
	err = b.Pool.QueryRow(ctx, known, person, digests(b.tokens(r)), b.Now()).Scan(&mine)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("look for a known browser: %w", err)
	}
	return mine, nil
}

// Remember makes this browser known for the person, in the transaction of the sign-in. It gives the digest that it is known by, and tells
// whether it was a stranger until now.
// A stranger gets a token that nobody has seen, beside those which it carries: whoever signed in here before may have noted them down, and the others
// of a family stay known by theirs.
func (b *Browsers) Remember(ctx context.Context, tx pgx.Tx, w http.ResponseWriter, r *http.Request, person uuid.UUID, where place.Place) (mine []byte, stranger bool, err error) {
	at, tokens, token := b.Now(), b.tokens(r), make([]byte, 32)
	till := at.Add(b.For())
	const again = `
		UPDATE known_browser SET agent = $4, place = $5, last_at = $3, till = $6
		WHERE person_id = $1 AND token_hash = ANY ($2) AND till > $3
		RETURNING token_hash`
	err = tx.QueryRow(ctx, again, person, digests(tokens), at, Agent(r), where, till).Scan(&mine)
	if stranger = errors.Is(err, pgx.ErrNoRows); stranger {
		rand.Read(token) // never fails: it ends the program instead
		mine = digest(token)
		const first = `
			INSERT INTO known_browser (person_id, token_hash, agent, place, first_at, last_at, till)
			VALUES ($1, $2, $4, $5, $3, $3, $6)`
		_, err = tx.Exec(ctx, first, person, mine, at, Agent(r), where, till)
	}
	if err != nil {
		return nil, false, fmt.Errorf("remember a browser: %w", err)
	}
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
	// The person's own comes first, and where the cookie is full that of whoever was away for longest goes.
	if i := slices.IndexFunc(tokens, func(t []byte) bool { return bytes.Equal(digest(t), mine) }); i >= 0 {
		token = tokens[i]
		tokens = slices.Delete(tokens, i, i+1)
	}
	tokens = slices.Insert(tokens, 0, token)
	tokens = tokens[:min(len(tokens), family)]
	http.SetCookie(w, &http.Cookie{
		Name: b.cookie(), Value: base64.RawURLEncoding.EncodeToString(bytes.Join(tokens, nil)), Path: "/",
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

// tokens are those that the browser carries; none of a cookie that is not ours.
func (b *Browsers) tokens(r *http.Request) [][]byte {
	cookie, err := r.Cookie(b.cookie())
	if err != nil {
		return nil
	}
	all, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(all)%32 != 0 || len(all) > family*32 {
		return nil
	}
	return slices.Collect(slices.Chunk(all, 32))
}

func (b *Browsers) cookie() string {
	if b.Secure {
		return "__Host-idp_browser"
	}
	return "idp_browser"
}

func digest(token []byte) []byte {
	sum := sha256.Sum256(token)
	return sum[:]
}

func digests(tokens [][]byte) [][]byte {
	all := make([][]byte, len(tokens))
	for i, token := range tokens {
		all[i] = digest(token)
	}
	return all
}
