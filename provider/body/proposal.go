package body

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/pair"
)

// A Proposal is what a client is to be: live, and with this metadata, whole.
type Proposal struct {
	ID         uuid.UUID
	ClientID   string
	Version    clients.Version  // of the client, that its author saw
	Base       clients.Metadata // of that version
	Metadata   clients.Metadata
	State      pair.State
	ProposedBy uuid.UUID
	ProposedAt time.Time
	DecidedBy  *uuid.UUID // nil: nobody yet, or the operator's command
	DecidedAt  *time.Time
	Reason     *string // of a refusal
}

// Propose proposes what a client is to be; nil: as it is. Its author says which version they have seen, and proposes nothing over another:
// clients.ErrStale. ErrOpen, while another proposal waits.
func (b *Bodies) Propose(ctx context.Context, id string, seen clients.Version, m *clients.Metadata, by clients.By) (p Proposal, err error) {
	const insert = `
		INSERT INTO proposal (id, client_id, version, base, metadata, state, proposed_by, proposed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (client_id) WHERE state = 'open' DO NOTHING`

	p = Proposal{ClientID: id, Version: seen, State: pair.Open, ProposedBy: by.Person, ProposedAt: by.At}
	if p.ID, err = uuid.NewV7(); err != nil {
		return Proposal{}, err
	}
	if m != nil {
		if p.Metadata, err = b.cfg.Clients.Checked(ctx, *m); err != nil {
			return Proposal{}, err
		}
	}
	err = pgx.BeginFunc(ctx, b.cfg.Pool, func(tx pgx.Tx) error {
		c, err := b.cfg.Clients.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := by.May(ctx, tx, c); err != nil {
			return err
		}
		if seen != c.Version {
			return clients.ErrStale
		}
		if p.Base = c.Metadata; m == nil {
			p.Metadata = c.Metadata
		}
		if err := c.Takes(p.Metadata, by); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, insert, p.ID, p.ClientID, p.Version, p.Base, p.Metadata, p.State, p.ProposedBy, p.ProposedAt)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrOpen
		}
		return record(ctx, tx, audit.Event{Kind: audit.ClientProposed, ClientID: id}, by, map[string]uuid.UUID{"proposal": p.ID})
	})
	if err != nil {
		return Proposal{}, fmt.Errorf("propose: %w", err)
	}
	return p, nil
}

// columns of a proposal, in the order of its fields.
const columns = `
	SELECT id, client_id, version, base, metadata, state, proposed_by, proposed_at, decided_by, decided_at, reason FROM proposal `

// Proposals gives the last fifty proposals of a client since a time, the newest first. Those from before a body had the client are not for
// its people.
func (b *Bodies) Proposals(ctx context.Context, clientID string, since time.Time) ([]Proposal, error) {
	const list = columns + `WHERE client_id = $1 AND proposed_at >= $2 ORDER BY proposed_at DESC, id DESC LIMIT 50`

	rows, _ := b.cfg.Pool.Query(ctx, list, clientID, since)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Proposal])
	if err != nil {
		return nil, fmt.Errorf("list proposals: %w", err)
	}
	return all, nil
}

// Waiting gives the open proposals, the oldest five hundred: those that a person may look at, which are all for the operator's staff; and
// all, where by is nobody's.
func (b *Bodies) Waiting(ctx context.Context, by clients.By) ([]Proposal, error) {
	const list = columns + `
		WHERE state = 'open' AND ($1 OR EXISTS (
			SELECT FROM client JOIN representative ON body_id = owner_id
			WHERE client.client_id = proposal.client_id AND person_id = $2 AND representative.removed_at IS NULL))
		ORDER BY proposed_at, id LIMIT 500`

	var all []Proposal
	err := pgx.BeginFunc(ctx, b.cfg.Pool, func(tx pgx.Tx) (err error) {
		judges := by.Person == uuid.Nil
		if !judges {
			if judges, err = b.cfg.Judges(ctx, tx, by.Person); err != nil {
				return err
			}
		}
		rows, _ := tx.Query(ctx, list, judges, by.Person)
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Proposal])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list proposals: %w", err)
	}
	return all, nil
}

// find gives a proposal of a client.
func (b *Bodies) find(ctx context.Context, clientID string, id uuid.UUID) (Proposal, error) {
	rows, _ := b.cfg.Pool.Query(ctx, columns+`WHERE client_id = $1 AND id = $2`, clientID, id)
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Proposal])
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ErrNoProposal
	}
	if err != nil {
		return p, fmt.Errorf("find a proposal: %w", err)
	}
	return p, nil
}

// Approve makes the client what was proposed. clients.ErrStale, if its metadata is not what the proposal was made over. A secret is given
// where the client had none and now needs one. Who approves once more is told of the client as it is, and of no secret.
func (b *Bodies) Approve(ctx context.Context, clientID string, id uuid.UUID, by clients.By) (*clients.Client, string, error) {
	p, err := b.find(ctx, clientID, id)
	if err != nil {
		return nil, "", err
	}
	// Held before the proposal, as by whoever else decides; and whole, for it is changed.
	const hold = `SELECT FROM client WHERE client_id = $1 FOR NO KEY UPDATE`

	by = b.judging(by)
	judges, also := by.May, by.Also
	var now *clients.Client
	by.May = func(ctx context.Context, tx pgx.Tx, _ *clients.Client) (err error) {
		if _, err := tx.Exec(ctx, hold, clientID); err != nil {
			return err
		}
		if now, err = b.cfg.Clients.Hold(ctx, tx, clientID); err != nil {
			return err
		}
		if judges != nil {
			if err := judges(ctx, tx, now); err != nil {
				return err
			}
		}
		if err := p.decide(ctx, tx, pair.Approved, by); err != nil {
			return err
		}
		same, err := same(now.Metadata, p.Base)
		if err == nil && !same {
			err = clients.ErrStale
		}
		return err
	}
	by.Also = func(ctx context.Context, tx pgx.Tx, c *clients.Client, secret string) error {
		if err := p.end(ctx, tx, pair.Approved, nil, by); err != nil || also == nil {
			return err
		}
		return also(ctx, tx, c, secret)
	}
	c, secret, err := b.GoLive(ctx, clientID, clients.Any, p.Metadata, by)
	if errors.Is(err, errAgain) {
		return now, "", nil
	}
	return c, secret, err
}

// same tells whether two metadata say the same.
func same(a, b clients.Metadata) (bool, error) {
	one, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	other, err := json.Marshal(b)
	return bytes.Equal(one, other), err
}

// GoLive makes a client live with that metadata, whole, and ends what made-up people were given at it: by Approve, or by the operator's
// command.
func (b *Bodies) GoLive(ctx context.Context, clientID string, seen clients.Version, m clients.Metadata, by clients.By) (*clients.Client, string, error) {
	var ended []uuid.UUID
	also := by.Also
	by.Also = func(ctx context.Context, tx pgx.Tx, c *clients.Client, secret string) (err error) {
		if also != nil {
			if err := also(ctx, tx, c, secret); err != nil {
				return err
			}
		}
		ended, err = grant.EndSpecimens(ctx, tx, b.cfg.Jobs, clientID, by.At)
		return err
	}
	c, secret, err := b.cfg.Clients.GoLive(ctx, clientID, seen, m, by)
	if err != nil {
		return nil, "", err
	}
	// The job that was queued denies them too; now means now.
	if err := b.cfg.Denials.Deny(ctx, ended...); err != nil {
		return nil, "", fmt.Errorf("go live: %w", err)
	}
	return c, secret, nil
}

// Refuse refuses a proposal, for a reason that its author is told.
func (b *Bodies) Refuse(ctx context.Context, clientID string, id uuid.UUID, reason string, by clients.By) (Proposal, error) {
	if !readable(reason) {
		return Proposal{}, ErrReason
	}
	return b.close(ctx, clientID, id, pair.Refused, &reason, b.judging(by))
}

// Withdraw takes a proposal back; only its author can.
func (b *Bodies) Withdraw(ctx context.Context, clientID string, id uuid.UUID, by clients.By) (Proposal, error) {
	return b.close(ctx, clientID, id, pair.Withdrawn, nil, by)
}

// close decides a proposal without changing the client.
func (b *Bodies) close(ctx context.Context, clientID string, id uuid.UUID, to pair.State, reason *string, by clients.By) (Proposal, error) {
	p, err := b.find(ctx, clientID, id)
	if err != nil {
		return p, err
	}
	err = pgx.BeginFunc(ctx, b.cfg.Pool, func(tx pgx.Tx) error {
		c, err := b.cfg.Clients.Hold(ctx, tx, clientID)
		if err != nil {
			return err
		}
		if by.May != nil {
			if err := by.May(ctx, tx, c); err != nil {
				return err
			}
		}
		if err := p.decide(ctx, tx, to, by); err != nil {
			return err
		}
		return p.end(ctx, tx, to, reason, by)
	})
	if err != nil && !errors.Is(err, errAgain) {
		return p, fmt.Errorf("decide a proposal: %w", err)
	}
	return b.find(ctx, clientID, id)
}

// Give gives a client to a body; nil: back to the operator. What the one before has proposed of it is withdrawn.
func (b *Bodies) Give(ctx context.Context, clientID string, seen clients.Version, owner *uuid.UUID, by clients.By) (*clients.Client, error) {
	const withdraw = `
		UPDATE proposal SET state = 'withdrawn', decided_at = $2 WHERE client_id = $1 AND state = 'open' RETURNING id`

	if owner != nil {
		if _, err := b.Find(ctx, *owner); err != nil {
			return nil, err
		}
	}
	by.Also = func(ctx context.Context, tx pgx.Tx, _ *clients.Client, _ string) error {
		rows, _ := tx.Query(ctx, withdraw, clientID, by.At)
		withdrawn, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		for _, id := range withdrawn {
			if err := record(ctx, tx, audit.Event{Kind: audit.ClientWithdrawn, ClientID: clientID}, by, map[string]uuid.UUID{"proposal": id}); err != nil {
				return err
			}
		}
		return nil
	}
	return b.cfg.Clients.SetOwner(ctx, clientID, seen, owner, by)
}

// judging is whoever decides: not only those who represent the body, but the operator's staff too.
func (b *Bodies) judging(by clients.By) clients.By {
	if person := by.Person; person != uuid.Nil {
		by.May = func(ctx context.Context, tx pgx.Tx, c *clients.Client) error { return b.mayJudge(ctx, tx, c, person) }
	}
	return by
}

// decided are the records of how a proposal ends.
var decided = map[pair.State]audit.Kind{pair.Approved: audit.ClientApproved, pair.Refused: audit.ClientRefused, pair.Withdrawn: audit.ClientWithdrawn}

// errAgain says that somebody decides what they have decided before.
var errAgain = errors.New("decided the same before")

// decide holds a proposal, and tells whether somebody may bring it to another state. Who made it may withdraw it and decide nothing else of
// it; the operator's command may decide all. errAgain, where they have done so before.
func (p Proposal) decide(ctx context.Context, tx pgx.Tx, to pair.State, by clients.By) error {
	const hold = `SELECT proposed_by, state, decided_by FROM proposal WHERE id = $1 FOR UPDATE`

	var stands pair.Proposal
	if err := tx.QueryRow(ctx, hold, p.ID).Scan(&stands.Author, &stands.State, &stands.DecidedBy); err != nil {
		return err
	}
	again, err := stands.Decide(by.Person, to)
	if again {
		return errAgain
	}
	return err
}

// end brings a proposal to another state, and records it.
func (p Proposal) end(ctx context.Context, tx pgx.Tx, to pair.State, reason *string, by clients.By) error {
	const update = `
		UPDATE proposal SET state = $2, reason = $3, decided_by = nullif($4, $6::uuid), decided_at = $5
		WHERE id = $1`

	if _, err := tx.Exec(ctx, update, p.ID, to, reason, by.Person, by.At, uuid.Nil); err != nil {
		return err
	}
	return record(ctx, tx, audit.Event{Kind: decided[to], ClientID: p.ClientID}, by, map[string]uuid.UUID{"proposal": p.ID})
}
