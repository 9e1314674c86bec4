package grant

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Find gives a live grant, or ErrUnknown.
func Find(ctx context.Context, db Querier, gid uuid.UUID) (Grant, error) {
	const find = `
		SELECT id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, given_at, till
		FROM client_grant WHERE id = $1 AND ended_at IS NULL`

	var g Grant
	err := db.QueryRow(ctx, find, gid).Scan(&g.ID, &g.Person, &g.ClientID, &g.SID, &g.Scopes, &g.Audience,
		&g.AuthTime, &g.ACR, &g.AMR, &g.At, &g.Till)
	if errors.Is(err, pgx.ErrNoRows) {
		return Grant{}, ErrUnknown
	}
	if err != nil {
		return Grant{}, fmt.Errorf("find grant: %w", err)
	}
	return g, nil
}

// Whose gives the person whose session, by its own sid, gave a client something, and whether some of that was not ended since, or ErrUnknown.
func Whose(ctx context.Context, db Querier, clientID, sid string) (person uuid.UUID, lives bool, err error) {
	const find = `
		SELECT person_id, ended_at IS NULL FROM client_grant
		WHERE sid = $1 AND client_id = $2 AND given_at IS NOT NULL
		ORDER BY ended_at IS NULL DESC LIMIT 1`

	err = db.QueryRow(ctx, find, sid, clientID).Scan(&person, &lives)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, false, ErrUnknown
	}
	if err != nil {
		return uuid.Nil, false, fmt.Errorf("find whose session gave: %w", err)
	}
	return person, lives, nil
}

// Stands tells whether the sign-in that led to a grant is still good, however long ago what was granted was over.
func Stands(ctx context.Context, db Querier, gid uuid.UUID) (stands bool, err error) {
	const find = `
		SELECT EXISTS (
			SELECT FROM client_grant g JOIN identity ON identity.person_id = g.person_id AND identity.state = 'active'
			WHERE g.id = $1 AND g.ended_at IS NULL
			AND NOT EXISTS (SELECT FROM ended WHERE ended.person_id = g.person_id AND ended.at >= g.auth_time)
			AND NOT EXISTS (SELECT FROM signed_out WHERE signed_out.sid = g.sid)
			AND NOT EXISTS (
				SELECT FROM agreement
				WHERE agreement.person_id = g.person_id AND agreement.client_id = g.client_id AND agreement.scope = ANY (g.scopes)
				AND agreement.withdrawn_at IS NOT NULL))`

	if err := db.QueryRow(ctx, find, gid).Scan(&stands); err != nil {
		return false, fmt.Errorf("ask whether a sign-in stands: %w", err)
	}
	return stands, nil
}

// Lives is the condition of an event that something was made from a grant: that there is nothing to end it yet (audit.Event.QueueIf).
const Lives = `
	EXISTS (SELECT FROM client_grant WHERE client_grant.id = gid AND client_grant.ended_at IS NULL
	        AND NOT EXISTS (SELECT FROM ended WHERE ended.person_id = client_grant.person_id AND ended.at >= client_grant.auth_time))`
