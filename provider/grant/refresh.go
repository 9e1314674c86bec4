package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Querier asks: a pool or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Find gives the grant that a refresh token belongs to, by the token's digest.
//
// ErrUnknown: there is no such token. With the other two the grant comes as
// well: ErrOver, nothing is to be had from it any more; ErrReused, the token
// was used before, and the caller ends the grant, because one of the two users
// is a thief and we cannot tell which (RFC 9700 §4.14.2).
func Find(ctx context.Context, db Querier, digest []byte, now time.Time) (Grant, error) {
	const find = `
		SELECT g.id, g.person_id, g.client_id, g.sid, g.scopes, g.audience, g.auth_time, g.acr, g.amr, g.given_at, g.till,
		       g.ended_at IS NULL AND g.till > $2 AND t.till > $2
		       AND EXISTS (SELECT FROM identity WHERE identity.person_id = g.person_id AND identity.state = 'active')
		       AND NOT EXISTS (SELECT FROM ended WHERE ended.person_id = g.person_id AND ended.at >= g.auth_time),
		       t.used_at IS NOT NULL
		FROM refresh_token t JOIN client_grant g ON g.id = t.grant_id
		WHERE t.token_hash = $1`

	var (
		g          Grant
		live, used bool
	)
	err := db.QueryRow(ctx, find, digest, now).Scan(&g.ID, &g.Person, &g.ClientID, &g.SID, &g.Scopes, &g.Audience,
		&g.AuthTime, &g.ACR, &g.AMR, &g.At, &g.Till, &live, &used)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Grant{}, ErrUnknown
	case err != nil:
		return Grant{}, fmt.Errorf("find refresh token: %w", err)
	case !live:
		return g, ErrOver
	case used:
		return g, ErrReused
	}
	return g, nil
}

// Rotate queues what uses up one refresh token and puts the next in its place,
// by their digests. Once the batch is read, *done tells whether it happened:
// of any number at once, once. When it did not, treat it as ErrReused.
func Rotate(b *pgx.Batch, old, next []byte, at time.Time, done *bool) {
	const rotate = `
		WITH used AS (
			UPDATE refresh_token SET used_at = $3
			WHERE token_hash = $1 AND used_at IS NULL AND till > $3
			RETURNING grant_id
		)
		INSERT INTO refresh_token (token_hash, grant_id, issued_at, till)
		SELECT $2, g.id, $3, g.till
		FROM client_grant g JOIN used ON used.grant_id = g.id
		WHERE g.ended_at IS NULL`

	b.Queue(rotate, old, next, at).Exec(func(tag pgconn.CommandTag) error {
		*done = tag.RowsAffected() == 1
		return nil
	})
}
