package grant

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Give queues what gives a grant: its row, the digest of its first refresh token
// (nil for none) and the event, all or nothing. Once the batch is read, *given
// tells whether it was given: not when the identifier is not active, not when the
// sign-in was ended or its session signed out of, not while the person has
// withdrawn what was agreed to, not to a made-up person at a live client or to another at a draft, and not a second time. Where the grant's id is
// chosen when the code is issued, a code is thereby good once even if Redis forgot
// its use.
func Give(b *pgx.Batch, g Grant, refresh []byte, given *bool) {
	// The identity is locked by a statement of its own: only the next one sees
	// what was committed while this one waited.
	const lock = `SELECT person_id FROM identity WHERE person_id = $1 FOR SHARE`

	// A row without given_at was written by Forestall, and stays ended.
	const give = `
		WITH given AS (
			INSERT INTO client_grant (id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, claims, bound, given_at, till)
			SELECT $1, identity.person_id, $3, $4, $5, $6, $7, $8, $9, $13, $14, $10, $11
			FROM identity
			WHERE identity.person_id = $2 AND identity.state = 'active'
			AND NOT EXISTS (SELECT FROM ended WHERE ended.person_id = $2 AND ended.at >= $7)
			AND NOT EXISTS (SELECT FROM signed_out WHERE signed_out.sid = $4)
			AND NOT EXISTS (
				SELECT FROM agreement
				WHERE agreement.person_id = $2 AND agreement.client_id = $3 AND agreement.scope = ANY ($5)
				AND agreement.withdrawn_at IS NOT NULL)
			AND NOT EXISTS (
				SELECT FROM client JOIN person ON person.id = $2
				WHERE client.client_id = $3 AND (client.stage = 'draft') <> (person.identification_number LIKE '0%'))
			ON CONFLICT (id) DO UPDATE SET given_at = excluded.given_at WHERE client_grant.given_at IS NULL
			RETURNING id, given_at, till
		), refresh AS (
			INSERT INTO refresh_token (token_hash, grant_id, issued_at, till)
			SELECT $12, id, given_at, till FROM given WHERE $12::bytea IS NOT NULL
		)
		SELECT EXISTS (SELECT FROM given)`

	const justGiven = `EXISTS (SELECT FROM client_grant WHERE client_grant.id = gid AND client_grant.given_at = at)`

	b.Queue(lock, g.Person)
	b.Queue(give, g.ID, g.Person, g.ClientID, g.SID, g.Scopes, g.Audience, g.AuthTime, g.ACR, g.AMR, g.At, g.Till, refresh, g.Claims, g.Bound).
		QueryRow(func(row pgx.Row) error { return row.Scan(given) })
	detail := map[string]string{"scope": strings.Join(g.Scopes, " ")}
	if names := g.Claims.names(); names != "" {
		detail["claims"] = names
	}
	audit.Event{
		Kind: audit.GrantGiven, At: g.At, Person: g.Person, ClientID: g.ClientID, SID: g.SID, GID: g.ID,
		ACR: g.ACR, Agent: g.Agent, Detail: detail,
	}.QueueIf(b, justGiven)
}

// Forestall ends a grant because its code came a second time, in the caller's
// transaction (RFC 6749 §4.1.2). If the first use has not led to the grant yet,
// the grant is written as ended, and what the first use then gets is dead when
// it arrives. After the commit the caller denies its access tokens (Denials.Deny).
func Forestall(ctx context.Context, tx pgx.Tx, jobs Jobs, g Grant, at time.Time) error {
	const forestall = `
		INSERT INTO client_grant (id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, till, ended_at, ended_why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, ended_why = excluded.ended_why
		WHERE client_grant.ended_at IS NULL
		RETURNING id, person_id, client_id, sid`

	_, err := endGrants(ctx, tx, jobs, Reused, at, forestall,
		g.ID, g.Person, g.ClientID, g.SID, g.Scopes, g.Audience, g.AuthTime, g.ACR, g.AMR, g.Till, at, Reused)
	if err != nil {
		return fmt.Errorf("forestall grant: %w", err)
	}
	return nil
}
