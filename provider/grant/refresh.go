package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnknown says that there is no such refresh token or grant.
var ErrUnknown = errors.New("no such refresh token or grant")

// Grace is how long a used refresh token is answered with its successor once
// more: as long as a client waits for an answer that was lost on the way before
// it asks again. Whoever is that quick with a stolen one gets no token that its
// owner has not got too, and the first of them to be late ends it for both.
const Grace = 30 * time.Second

// A Refresh is a refresh token as it stands. Who shows a used one that belongs
// to a live grant, past its grace, ends the grant: one of two users is a thief
// and we cannot tell which (RFC 9700 §4.14.2).
type Refresh struct {
	Grant  Grant
	Ended  bool      // the grant was ended
	UsedAt time.Time // when a successor was first given in its place; zero: not yet
	Till   time.Time
}

// Used tells whether another token was given in its place.
func (r Refresh) Used() bool { return !r.UsedAt.IsZero() }

// A Querier asks: a pool or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// FindRefresh gives a refresh token by its digest, or ErrUnknown. It decides nothing; Renew does.
func FindRefresh(ctx context.Context, db Querier, digest []byte) (Refresh, error) {
	const find = `
		SELECT g.id, g.person_id, g.client_id, g.sid, g.scopes, g.audience, g.auth_time, g.acr, g.amr, g.claims, g.bound,
		       coalesce(g.given_at, t.issued_at), g.till, g.ended_at IS NOT NULL, t.used_at, t.till
		FROM refresh_token t JOIN client_grant g ON g.id = t.grant_id
		WHERE t.token_hash = $1`

	var (
		r    Refresh
		used *time.Time
	)
	g := &r.Grant
	err := db.QueryRow(ctx, find, digest).Scan(&g.ID, &g.Person, &g.ClientID, &g.SID, &g.Scopes, &g.Audience,
		&g.AuthTime, &g.ACR, &g.AMR, &g.Claims, &g.Bound, &g.At, &g.Till, &r.Ended, &used, &r.Till)
	if errors.Is(err, pgx.ErrNoRows) {
		return Refresh{}, ErrUnknown
	}
	if err != nil {
		return Refresh{}, fmt.Errorf("find refresh token: %w", err)
	}
	if used != nil {
		r.UsedAt = *used
	}
	return r, nil
}

// Renew queues the use of a refresh token. Once the batch is read, *renewed
// tells whether it may be used: the grant and the token are not over, the
// identifier is active, the sign-in was not ended. With next, the digest of its
// successor, the old one is used up: any number within its grace find the same
// successor, until that is used itself. Without next (nil) the token stays as
// it is.
//
// Nothing is locked against a block that comes in the same instant: the block
// ends the grant and denies its access tokens, those made here among them.
func Renew(b *pgx.Batch, r Refresh, digest, next []byte, at time.Time, renewed *bool) {
	const live = `
		WITH live AS (
			SELECT g.id, g.till FROM client_grant g
			JOIN identity ON identity.person_id = g.person_id AND identity.state = 'active'
			WHERE g.id = $1 AND g.ended_at IS NULL AND g.till > $2
			AND NOT EXISTS (SELECT FROM ended WHERE ended.person_id = g.person_id AND ended.at >= g.auth_time)
		)`
	const use = live + `
		SELECT token_hash FROM refresh_token JOIN live ON live.id = grant_id
		WHERE token_hash = $3 AND used_at IS NULL AND refresh_token.till > $2`
	const rotate = live + `, used AS (
			UPDATE refresh_token SET used_at = coalesce(used_at, $2) FROM live
			WHERE token_hash = $3 AND grant_id = live.id AND (used_at IS NULL OR used_at > $5) AND refresh_token.till > $2
			RETURNING live.id, live.till
		)
		INSERT INTO refresh_token (token_hash, grant_id, issued_at, till)
		SELECT $4, id, $2, till FROM used
		ON CONFLICT (token_hash) DO UPDATE SET token_hash = excluded.token_hash WHERE refresh_token.used_at IS NULL`

	happened := func(tag pgconn.CommandTag) error {
		*renewed = tag.RowsAffected() == 1
		return nil
	}
	if next == nil {
		b.Queue(use, r.Grant.ID, at, digest).Exec(happened)
		return
	}
	b.Queue(rotate, r.Grant.ID, at, digest, next, at.Add(-Grace)).Exec(happened)
}
