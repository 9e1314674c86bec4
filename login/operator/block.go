package operator

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/provider/audit"
	"asoba.example/provider/pair"
)

// Meanings.
var (
	ErrUnknown = errors.New("no such proposal")
	ErrReason  = errors.New("no such reason: takeover, leak or deceit")
	ErrCount   = errors.New("from 1 to " + strconv.Itoa(most) + " identifiers")
)

// most is how many identifiers one proposal names: what two people can answer for.
const most = 1000

// A StrangerError says which of the identifiers named are nobody's, by their places.
type StrangerError struct{ Places []int }

func (e *StrangerError) Error() string {
	return fmt.Sprintf("%d identifiers are nobody's", len(e.Places))
}

// A Reason is why identifiers are to be blocked.
type Reason string

// Reasons.
const (
	Takeover Reason = "takeover" // somebody else seems to use it
	Leak     Reason = "leak"     // passwords or phones have come into strangers' hands
	Deceit   Reason = "deceit"   // it was issued to somebody who had no right to it
)

// decided are the records of how a proposal ends.
var decided = map[pair.State]audit.Kind{pair.Approved: audit.BlockApproved, pair.Refused: audit.BlockRefused, pair.Withdrawn: audit.BlockDropped}

// A Proposal is to block identifiers.
type Proposal struct {
	ID         uuid.UUID
	Reason     Reason
	Basis      identity.Basis
	State      pair.State
	ProposedBy uuid.UUID
	ProposedAt time.Time
	DecidedBy  *uuid.UUID
	DecidedAt  *time.Time
	People     int
	Blocked    int
}

// Blocks are what the operator's staff blocks, two together.
type Blocks struct {
	Pool     *pgxpool.Pool
	Registry *identity.Registry
	Now      func() time.Time
}

// Propose has one of the staff propose to block identifiers. Nothing is done before another approves it. Whoever proposes the same again
// while it waits is told of that proposal.
func (b *Blocks) Propose(ctx context.Context, by clerk.Clerk, reason Reason, basis identity.Basis, whose []identity.Identifier) (Proposal, error) {
	// Of two who propose the same at one moment the second finds the first.
	const alone = `LOCK TABLE security_block IN SHARE ROW EXCLUSIVE MODE`
	const insert = `
		INSERT INTO security_block (id, reason, basis_number, basis_date, state, proposed_by, proposed_at)
		VALUES ($1, $2, $3, $4, 'open', $5, $6)`
	const same = `
		SELECT b.id FROM security_block AS b
		WHERE b.state = 'open' AND b.proposed_by = $1 AND b.reason = $2 AND b.basis_number = $3 AND b.basis_date = $4 AND
		      ARRAY(SELECT person_id FROM security_block_person WHERE block_id = b.id ORDER BY 1) = ARRAY(SELECT unnest($5::uuid[]) ORDER BY 1)`
	const name = `INSERT INTO security_block_person (block_id, person_id) SELECT $1, unnest($2::uuid[])`

	switch reason {
	case Takeover, Leak, Deceit:
	default:
		return Proposal{}, ErrReason
	}
	if len(whose) == 0 || len(whose) > most {
		return Proposal{}, ErrCount
	}
	p := Proposal{Reason: reason, Basis: basis, State: pair.Open, ProposedBy: by.Person, ProposedAt: b.Now()}
	var err error
	if p.ID, err = uuid.NewV7(); err != nil {
		return Proposal{}, err
	}
	err = b.act(ctx, by, func(tx pgx.Tx) error {
		people, err := find(ctx, tx, whose)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, alone); err != nil {
			return err
		}
		var before uuid.UUID
		err = tx.QueryRow(ctx, same, by.Person, reason, basis.Number, basis.Date, people).Scan(&before)
		if err == nil {
			p, err = one(ctx, tx, before)
			return err
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		p.People = len(people)
		if _, err := tx.Exec(ctx, insert, p.ID, reason, basis.Number, basis.Date, by.Person, p.ProposedAt); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, name, p.ID, people); err != nil {
			return err
		}
		return record(ctx, tx, audit.BlockProposed, p, by, p.ProposedAt)
	})
	return p, err
}

// find gives the people whose identifiers are named, each once.
func find(ctx context.Context, tx pgx.Tx, whose []identity.Identifier) ([]uuid.UUID, error) {
	const find = `
		SELECT n.place, i.person_id
		FROM unnest($1::text[]) WITH ORDINALITY AS n (number, place)
		LEFT JOIN person AS p ON p.identification_number = n.number
		LEFT JOIN identity AS i ON i.person_id = p.id
		ORDER BY n.place`
	numbers := make([]string, len(whose))
	for n, id := range whose {
		numbers[n] = id.Reveal()
	}
	var (
		place     int
		person    *uuid.UUID
		people    []uuid.UUID
		strangers []int
	)
	seen := map[uuid.UUID]bool{}
	rows, _ := tx.Query(ctx, find, numbers)
	_, err := pgx.ForEachRow(rows, []any{&place, &person}, func() error {
		switch {
		case person == nil:
			strangers = append(strangers, place-1)
		case !seen[*person]:
			seen[*person] = true
			people = append(people, *person)
		}
		return nil
	})
	if err == nil && strangers != nil {
		err = &StrangerError{strangers}
	}
	return people, err
}

// Approve has another of the staff block them: all in this one transaction, with every sign-in ended and everybody told.
func (b *Blocks) Approve(ctx context.Context, by clerk.Clerk, id uuid.UUID) (Proposal, error) {
	const people = `SELECT person_id FROM security_block_person WHERE block_id = $1`
	const mark = `UPDATE security_block_person SET blocked = true WHERE block_id = $1 AND person_id = ANY ($2)`

	return b.decide(ctx, by, id, pair.Approved, func(tx pgx.Tx, at time.Time) error {
		rows, _ := tx.Query(ctx, people, id)
		all, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		blocked, err := b.Registry.Secure(ctx, tx, all, identity.Act{At: at, Clerk: by.Person, Office: by.Office})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, mark, id, blocked)
		return err
	})
}

// Refuse has another of the staff refuse a proposal.
func (b *Blocks) Refuse(ctx context.Context, by clerk.Clerk, id uuid.UUID) (Proposal, error) {
	return b.decide(ctx, by, id, pair.Refused, func(pgx.Tx, time.Time) error { return nil })
}

// Withdraw has whoever made a proposal take it back.
func (b *Blocks) Withdraw(ctx context.Context, by clerk.Clerk, id uuid.UUID) (Proposal, error) {
	return b.decide(ctx, by, id, pair.Withdrawn, func(pgx.Tx, time.Time) error { return nil })
}

// decide ends an open proposal. Whoever decides the same again is told what became of it.
func (b *Blocks) decide(ctx context.Context, by clerk.Clerk, id uuid.UUID, to pair.State, do func(pgx.Tx, time.Time) error) (p Proposal, err error) {
	const lock = `SELECT FROM security_block WHERE id = $1 FOR UPDATE`
	const decide = `UPDATE security_block SET state = $2, decided_by = $3, decided_at = $4 WHERE id = $1`

	at := b.Now()
	err = b.act(ctx, by, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, id); err != nil {
			return err
		}
		if p, err = one(ctx, tx, id); err != nil {
			return err
		}
		proposal := pair.Proposal{Author: p.ProposedBy, State: p.State, DecidedBy: p.DecidedBy}
		if again, err := proposal.Decide(by.Person, to); again || err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, decide, id, to, by.Person, at); err != nil {
			return err
		}
		if err := do(tx, at); err != nil {
			return err
		}
		if p, err = one(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, decided[to], p, by, at)
	})
	return p, err
}

// act is one transaction of one of the staff, who stays that until its end.
func (b *Blocks) act(ctx context.Context, by clerk.Clerk, act func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if err := clerk.Hold(ctx, tx, by.Person, clerk.Secure); err != nil {
			return err
		}
		return act(tx)
	})
	if err != nil {
		return fmt.Errorf("block for security: %w", err)
	}
	return nil
}

func record(ctx context.Context, tx pgx.Tx, kind audit.Kind, p Proposal, by clerk.Clerk, at time.Time) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: kind, At: at, Clerk: by.Person, Office: by.Office,
		Detail: map[string]string{"proposal": p.ID.String(), "reason": string(p.Reason), "people": strconv.Itoa(p.People)},
	})
}

// columns of a proposal, in the order of scan.
const columns = `
	SELECT b.id, b.reason, b.basis_number, b.basis_date::text, b.state, b.proposed_by, b.proposed_at, b.decided_by, b.decided_at,
	       (SELECT count(*) FROM security_block_person WHERE block_id = b.id),
	       (SELECT count(*) FROM security_block_person WHERE block_id = b.id AND blocked)
	FROM security_block AS b `

func scan(row pgx.CollectableRow) (p Proposal, err error) {
	err = row.Scan(&p.ID, &p.Reason, &p.Basis.Number, &p.Basis.Date, &p.State, &p.ProposedBy, &p.ProposedAt, &p.DecidedBy, &p.DecidedAt, &p.People, &p.Blocked)
	return p, err
}

func one(ctx context.Context, tx pgx.Tx, id uuid.UUID) (Proposal, error) {
	rows, _ := tx.Query(ctx, columns+`WHERE b.id = $1`, id)
	p, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return Proposal{}, ErrUnknown
	}
	return p, err
}

// List gives the last hundred proposals, the newest first; with a state, of those that have it.
func (b *Blocks) List(ctx context.Context, state pair.State) ([]Proposal, error) {
	const list = columns + `WHERE $1 = '' OR b.state = $1 ORDER BY b.proposed_at DESC, b.id DESC LIMIT 100`

	rows, _ := b.Pool.Query(ctx, list, state)
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("list the proposals of blocks: %w", err)
	}
	return all, nil
}

// A Named identifier is one that a proposal names, and what became of it.
type Named struct {
	Identifier string `json:"identifier"`
	Blocked    bool   `json:"blocked"`
}

// Find gives a proposal and whose identifiers it names: whoever decides sees what.
func (b *Blocks) Find(ctx context.Context, id uuid.UUID) (p Proposal, whose []Named, err error) {
	const people = `
		SELECT p.identification_number, s.blocked
		FROM security_block_person AS s JOIN person AS p ON p.id = s.person_id
		WHERE s.block_id = $1 ORDER BY 1`

	err = pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if p, err = one(ctx, tx, id); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, people, id)
		whose, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Named])
		return err
	})
	if err != nil {
		return Proposal{}, nil, fmt.Errorf("find a proposal of blocks: %w", err)
	}
	return p, whose, nil
}
