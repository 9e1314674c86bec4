package body

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
)

// A Representative may act for a body.
type Representative struct {
	Person  uuid.UUID `json:"person"`
	NamedAt time.Time `json:"named_at"`
}

// Representatives gives those who may act for a body now.
func (b *Bodies) Representatives(ctx context.Context, id uuid.UUID) ([]Representative, error) {
	const list = `
		SELECT person_id AS person, named_at FROM representative
		WHERE body_id = $1 AND removed_at IS NULL ORDER BY named_at, person_id`

	rows, _ := b.cfg.Pool.Query(ctx, list, id)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Representative])
	if err != nil {
		return nil, fmt.Errorf("list representatives: %w", err)
	}
	return all, nil
}

// Name makes a person a representative of a body; one who is stays one. ErrNobody, of somebody made up: those sign in at drafts, and
// change none.
func (b *Bodies) Name(ctx context.Context, id, person uuid.UUID, by clients.By) error {
	const find = `SELECT EXISTS (SELECT FROM person WHERE id = $1 AND identification_number NOT LIKE '0%')`

	const name = `
		INSERT INTO representative (body_id, person_id, named_at) VALUES ($1, $2, $3)
		ON CONFLICT (body_id, person_id) DO UPDATE
		SET named_at = excluded.named_at, removed_at = NULL WHERE representative.removed_at IS NOT NULL`

	if _, err := b.Find(ctx, id); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, b.cfg.Pool, func(tx pgx.Tx) error {
		var somebody bool
		if err := tx.QueryRow(ctx, find, person).Scan(&somebody); err != nil {
			return err
		}
		if !somebody {
			return ErrNobody
		}
		tag, err := tx.Exec(ctx, name, id, person, by.At)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, audit.Event{Kind: audit.RepresentativeNamed}, by, map[string]uuid.UUID{"body": id, "representative": person})
	})
	if err != nil {
		return fmt.Errorf("name a representative: %w", err)
	}
	return nil
}

// Remove takes from a person the right to act for a body; ErrNobody, who has none. What they have proposed is for others to decide.
func (b *Bodies) Remove(ctx context.Context, id, person uuid.UUID, by clients.By) error {
	const remove = `UPDATE representative SET removed_at = $3 WHERE body_id = $1 AND person_id = $2 AND removed_at IS NULL`

	err := pgx.BeginFunc(ctx, b.cfg.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, remove, id, person, by.At)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrNobody
		}
		return record(ctx, tx, audit.Event{Kind: audit.RepresentativeGone}, by, map[string]uuid.UUID{"body": id, "representative": person})
	})
	if err != nil {
		return fmt.Errorf("remove a representative: %w", err)
	}
	return nil
}

// By is a person who acts for bodies, through a client ("" on our own pages). What they change is held to be of a body that they
// represent; of everything else they hear clients.ErrUnknown. Whoever is removed meanwhile is too late, or the removal waits.
func (b *Bodies) By(person uuid.UUID, clientID string, at time.Time) clients.By {
	return clients.By{ClientID: clientID, Person: person, At: at, May: func(ctx context.Context, tx pgx.Tx, c *clients.Client) error {
		return may(ctx, tx, c, person)
	}}
}

// represents tells who acts for a body.
const represents = `SELECT EXISTS (SELECT FROM representative WHERE body_id = $1 AND person_id = $2 AND removed_at IS NULL FOR SHARE)`

// may holds that a person acts for the owner; clients.ErrUnknown, where they are not even to know that there is such a client.
func may(ctx context.Context, tx pgx.Tx, c *clients.Client, person uuid.UUID) error {
	if c.Owner == nil {
		return clients.ErrUnknown
	}
	var may bool
	if err := tx.QueryRow(ctx, represents, *c.Owner, person).Scan(&may); err != nil {
		return err
	}
	if !may {
		return clients.ErrUnknown
	}
	return nil
}

// mayJudge holds that a person acts for the owner, or is of the operator's staff who judge what is a body's.
func (b *Bodies) mayJudge(ctx context.Context, tx pgx.Tx, c *clients.Client, person uuid.UUID) error {
	err := may(ctx, tx, c, person)
	if c.Owner == nil || !errors.Is(err, clients.ErrUnknown) {
		return err
	}
	judges, failed := b.cfg.Judges(ctx, tx, person)
	if failed != nil || judges {
		return failed
	}
	return err
}

// Represents tells whether a person acts for a body: ErrUnknown, if not.
func (b *Bodies) Represents(ctx context.Context, id, person uuid.UUID) error {
	var does bool
	if err := b.cfg.Pool.QueryRow(ctx, represents, id, person).Scan(&does); err != nil {
		return fmt.Errorf("find a representative: %w", err)
	}
	if !does {
		return ErrUnknown
	}
	return nil
}

// Client gives a client, as the database has it, to a person who may see it: who represents its body, or is of the operator's staff.
func (b *Bodies) Client(ctx context.Context, id string, person uuid.UUID) (c *clients.Client, err error) {
	err = pgx.BeginFunc(ctx, b.cfg.Pool, func(tx pgx.Tx) error {
		if c, err = b.cfg.Clients.Hold(ctx, tx, id); err != nil {
			return err
		}
		return b.mayJudge(ctx, tx, c, person)
	})
	return c, err
}
