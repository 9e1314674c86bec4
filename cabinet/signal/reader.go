package signal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// kept is for how long a Signal is, and for how long a grant lets its holder be told.
const kept = 30 * 24 * time.Hour

// A Grant is what one sign-in gave an e-service, as the feed tells of it.
type Grant struct {
	ID       uuid.UUID
	Person   uuid.UUID
	ClientID string
	Scope    string
	At       time.Time
}

// reads tells whether its holder may read the profile while the citizen is away.
func (g Grant) reads() bool {
	scopes := strings.Fields(g.Scope)
	return slices.Contains(scopes, "offline_access") &&
		(slices.Contains(scopes, "cabinet.profile") || slices.Contains(scopes, "cabinet.profile.read"))
}

// Hold keeps who may read whose profile from now on, in the caller's transaction. What has ended before stays ended, in whatever order both
// are heard.
func Hold(ctx context.Context, tx pgx.Tx, grants []Grant, now time.Time) error {
	const hold = `
		INSERT INTO reader (grant_id, person_id, client_id, at)
		SELECT id, person_id, client_id, at
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) AS given (id, person_id, client_id, at)
		WHERE NOT EXISTS (SELECT FROM ended WHERE ended.id = given.id OR ended.id = given.person_id AND ended.at >= given.at)
		ON CONFLICT DO NOTHING`

	var (
		ids, people []uuid.UUID
		clients     []string
		ats         []time.Time
	)
	for _, g := range grants {
		if g.reads() && g.At.After(now.Add(-kept)) {
			ids, people, clients, ats = append(ids, g.ID), append(people, g.Person), append(clients, g.ClientID), append(ats, g.At)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, hold, ids, people, clients, ats); err != nil {
		return fmt.Errorf("keep who may read: %w", err)
	}
	return nil
}

// Pass has what e-services hold and were told of one person be of another, in the caller's transaction: they are the same.
func Pass(ctx context.Context, tx pgx.Tx, from, to uuid.UUID) error {
	for _, pass := range []string{
		`UPDATE reader SET person_id = $2 WHERE person_id = $1`,
		`UPDATE signal SET person_id = $2 WHERE person_id = $1`,
	} {
		if _, err := tx.Exec(ctx, pass, from, to); err != nil {
			return fmt.Errorf("pass what e-services were told: %w", err)
		}
	}
	return nil
}

// An End is of one grant, or of all that a person gave until then.
type End struct {
	Event  uuid.UUID // the provider's
	Grant  uuid.UUID // or uuid.Nil
	Person uuid.UUID // or uuid.Nil
	Why    string    // as the feed tells it
	At     time.Time
}

// Over ends what was granted, in the caller's transaction, and tells those who may not read any longer.
func Over(ctx context.Context, tx pgx.Tx, ends []End) error {
	// Of another grant of the same to the same it is told only when that ends too.
	const over = `
		WITH ended AS (
			DELETE FROM reader
			WHERE grant_id = $1 OR person_id = $2 AND at <= $3
			RETURNING grant_id, person_id, client_id
		)
		INSERT INTO signal (id, client_id, person_id, subject, at, kind, detail)
		SELECT DISTINCT md5($4::text || client_id)::uuid, client_id, person_id, identification_number, $3::timestamptz, $5, $6::jsonb
		FROM ended JOIN cabinet USING (person_id)
		WHERE identification_number IS NOT NULL AND NOT EXISTS (
			SELECT FROM reader
			WHERE reader.person_id = ended.person_id AND reader.client_id = ended.client_id
			AND grant_id NOT IN (SELECT grant_id FROM ended))
		ON CONFLICT DO NOTHING`

	var b pgx.Batch
	for _, e := range ends {
		var why Detail
		if e.Why == Withdrawn || e.Why == Deactivated {
			why.Why = e.Why
		}
		b.Queue(over, e.Grant, e.Person, e.At, e.Event.String(), AccessEnded, why)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("tell of the end of access: %w", err)
	}
	return nil
}
