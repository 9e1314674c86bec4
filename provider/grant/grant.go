package grant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrRefused = errors.New("the person's sign-in is worth nothing")
	ErrReused  = errors.New("used before")
	ErrUnknown = errors.New("no such refresh token")
	ErrOver    = errors.New("the grant is over")
)

// A Grant is what one sign-in gave one client. Its ID is the claim gid of every access token made from it.
type Grant struct {
	ID       uuid.UUID
	Person   uuid.UUID
	ClientID string
	SID      string
	Scopes   []string
	Audience []string
	AuthTime time.Time
	ACR      string
	AMR      []string
	Agent    string    // for the record: "Firefox, Linux"; not kept with the grant
	At       time.Time // given at
	Till     time.Time // nothing made from the grant lives longer: neither a refresh nor an access token
}

// A Batcher sends several statements in one round trip: a pool or a transaction.
type Batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Give writes the grant, the digest of its first refresh token (nil for none)
// and the event, all or nothing, in one round trip.
//
// ErrRefused: the identifier is not active, or the sign-in was ended.
// ErrReused: this grant was given before. Where the id is chosen when the code
// is issued, a code is thereby good once even if Redis forgot that it was used.
func Give(ctx context.Context, db Batcher, g Grant, refresh []byte) error {
	// The identity is locked by a statement of its own: only the next one sees
	// what was committed while this one waited.
	const lock = `SELECT person_id FROM identity WHERE person_id = $1 FOR SHARE`

	// A grant of nobody cannot be written (NOT NULL), and that takes the batch back.
	const insert = `
		INSERT INTO client_grant (id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, given_at, till)
		VALUES ($1, (
			SELECT identity.person_id FROM identity
			WHERE identity.person_id = $2 AND identity.state = 'active'
			AND NOT EXISTS (SELECT FROM ended WHERE ended.person_id = $2 AND ended.at >= $7)
		), $3, $4, $5, $6, $7, $8, $9, $10, $11)`

	const insertRefresh = `INSERT INTO refresh_token (token_hash, grant_id, issued_at, till) VALUES ($1, $2, $3, $4)`

	b := new(pgx.Batch)
	b.Queue(lock, g.Person)
	b.Queue(insert, g.ID, g.Person, g.ClientID, g.SID, g.Scopes, g.Audience, g.AuthTime, g.ACR, g.AMR, g.At, g.Till)
	if refresh != nil {
		b.Queue(insertRefresh, refresh, g.ID, g.At, g.Till)
	}
	audit.Event{
		Kind: audit.GrantGiven, At: g.At, Person: g.Person, ClientID: g.ClientID, SID: g.SID, GID: g.ID,
		ACR: g.ACR, Agent: g.Agent, Detail: map[string]string{"scope": strings.Join(g.Scopes, " ")},
	}.Queue(b)
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("give grant: %w", meaning(err))
	}
	return nil
}

// meaning tells what the database's refusal of a grant means.
func meaning(err error) error {
	var pg *pgconn.PgError
	switch {
	case !errors.As(err, &pg) || pg.TableName != "client_grant":
		return err
	case pg.Code == "23502" && pg.ColumnName == "person_id": // not_null_violation
		return ErrRefused
	case pg.Code == "23505" && pg.ConstraintName == "client_grant_pkey": // unique_violation
		return ErrReused
	}
	return err
}
