package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

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
	ErrUnknown = errors.New("no such item or proposal")
	ErrGround  = errors.New("the document that it rests on is not told: its title, number and date, not of tomorrow, in characters that are printed")
	ErrDate    = errors.New("a value is in force from a day of this century")
)

// A Ground is the document that a value rests on.
type Ground struct {
	Title  string
	Number string
	Date   time.Time
}

// A Row is one value of an item: proposed, in force once, or refused.
type Row struct {
	ID          uuid.UUID
	Name        string
	Value       string
	InForceFrom time.Time
	Ground      Ground
	State       pair.State
	Author      uuid.UUID
	ProposedAt  time.Time
	DecidedBy   *uuid.UUID
	DecidedAt   *time.Time
}

// Policies keeps the values.
type Policies struct {
	pool *pgxpool.Pool
	now  func() time.Time
	held atomic.Pointer[map[string]any] // in force, read; those that are defaults are not in it
}

// New reads what is in force.
func New(ctx context.Context, pool *pgxpool.Pool, now func() time.Time) (*Policies, error) {
	p := &Policies{pool: pool, now: now}
	return p, p.Refresh(ctx)
}

// Refresh takes over what is in force by now; it is to be called every second.
func (p *Policies) Refresh(ctx context.Context) error {
	rows, err := p.InForce(ctx)
	if err != nil {
		return err
	}
	held := map[string]any{}
	for _, row := range rows {
		item, ok := Find(row.Name)
		if !ok {
			continue // of another build
		}
		// A value that this build's bounds would not allow any more leaves the default in force.
		if value, err := item.Read(row.Value); err == nil {
			held[row.Name] = value
		}
	}
	p.held.Store(&held)
	return nil
}

const columns = `id, name, value, in_force_from, ground_title, ground_number, ground_date, state, author, proposed_at, decided_by, decided_at`

func scan(row pgx.CollectableRow) (r Row, err error) {
	err = row.Scan(&r.ID, &r.Name, &r.Value, &r.InForceFrom, &r.Ground.Title, &r.Ground.Number, &r.Ground.Date,
		&r.State, &r.Author, &r.ProposedAt, &r.DecidedBy, &r.DecidedAt)
	return r, err
}

// InForce gives the values that are in force now, of the items that have one but the default.
func (p *Policies) InForce(ctx context.Context) ([]Row, error) {
	const find = `
		SELECT DISTINCT ON (name) ` + columns + ` FROM policy
		WHERE state = 'approved' AND in_force_from <= $1
		ORDER BY name, in_force_from DESC, decided_at DESC`

	rows, _ := p.pool.Query(ctx, find, p.now())
	found, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read what is in force: %w", err)
	}
	return found, nil
}

// History gives every row, the newest first.
func (p *Policies) History(ctx context.Context) ([]Row, error) {
	const find = `SELECT ` + columns + ` FROM policy ORDER BY proposed_at DESC, id DESC`

	rows, _ := p.pool.Query(ctx, find)
	found, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read the history of policy: %w", err)
	}
	return found, nil
}

// Propose has one of the operator's staff propose a value. Nothing changes before another approves it. Whoever proposes the same again
// while it waits is told of that proposal.
func (p *Policies) Propose(ctx context.Context, author uuid.UUID, name, value string, from time.Time, g Ground) (Row, error) {
	// Of two who propose the same at one moment the second finds the first.
	const alone = `LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE`
	// Whatever date had passed when it was proposed, a value is in force from its approval.
	const same = `
		SELECT ` + columns + ` FROM policy
		WHERE state = 'open' AND author = $1 AND name = $2 AND value = $3 AND ground_title = $4 AND ground_number = $5 AND ground_date = $6 AND
		      (in_force_from = $7 OR in_force_from <= proposed_at AND $7 <= $8)`
	const insert = `
		INSERT INTO policy (id, name, value, in_force_from, ground_title, ground_number, ground_date, state, author, proposed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)`

	item, ok := Find(name)
	if !ok {
		return Row{}, ErrUnknown
	}
	if _, err := item.Read(value); err != nil {
		return Row{}, err
	}
	today := p.now().In(identity.Minsk).Format(time.DateOnly)
	if !printed(g.Title, 500) || !printed(g.Number, 50) || g.Date.Year() < 2000 || g.Date.Format(time.DateOnly) > today {
		return Row{}, ErrGround
	}
	if from.Year() < 2000 || from.Year() > 2099 {
		return Row{}, ErrDate
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Row{}, err
	}
	row := Row{ID: id, Name: name, Value: value, InForceFrom: from, Ground: g, State: pair.Open, Author: author, ProposedAt: p.now()}
	err = p.act(ctx, author, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, alone); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, same, author, name, value, g.Title, g.Number, g.Date, from, row.ProposedAt)
		before, err := pgx.CollectExactlyOneRow(rows, scan)
		if err == nil {
			row = before
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := tx.Exec(ctx, insert, id, name, value, from, g.Title, g.Number, g.Date, author, row.ProposedAt); err != nil {
			return err
		}
		return record(ctx, tx, audit.PolicyProposed, row, author, row.ProposedAt)
	})
	return row, err
}

// printed tells whether a text can be shown to everybody: neither empty nor too long, and nothing in it that turns or hides it.
func printed(text string, most int) bool {
	n := utf8.RuneCountInString(text)
	return n <= most && utf8.ValidString(text) && strings.TrimSpace(text) != "" &&
		!strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

// Approve has another of the operator's staff bring a value into force, from its date or, where that has passed, from now.
func (p *Policies) Approve(ctx context.Context, id, by uuid.UUID) (Row, error) {
	return p.decide(ctx, id, by, pair.Approved, audit.PolicyApproved)
}

// Refuse has another of the operator's staff refuse a value.
func (p *Policies) Refuse(ctx context.Context, id, by uuid.UUID) (Row, error) {
	return p.decide(ctx, id, by, pair.Refused, audit.PolicyRefused)
}

func (p *Policies) decide(ctx context.Context, id, by uuid.UUID, to pair.State, kind audit.Kind) (row Row, err error) {
	const find = `SELECT ` + columns + ` FROM policy WHERE id = $1 FOR UPDATE`
	const decide = `
		UPDATE policy SET state = $2, decided_by = $3, decided_at = $4, in_force_from = greatest(in_force_from, $4)
		WHERE id = $1 RETURNING ` + columns

	at := p.now()
	err = p.act(ctx, by, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, find, id)
		row, err = pgx.CollectExactlyOneRow(rows, scan)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return ErrUnknown
		case err != nil:
			return err
		}
		proposal := pair.Proposal{Author: row.Author, State: row.State, DecidedBy: row.DecidedBy}
		if again, err := proposal.Decide(by, to); again || err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, decide, id, to, by, at)
		if row, err = pgx.CollectExactlyOneRow(rows, scan); err != nil {
			return err
		}
		return record(ctx, tx, kind, row, by, at)
	})
	if err != nil {
		return Row{}, err
	}
	// It is settled; should it not be read at once, it is within a second.
	_ = p.Refresh(ctx)
	return row, nil
}

// act is one transaction of one of the operator's staff, who stays that until its end.
func (p *Policies) act(ctx context.Context, by uuid.UUID, act func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if err := clerk.Hold(ctx, tx, by, clerk.Settle); err != nil {
			return err
		}
		return act(tx)
	})
	if err != nil {
		return fmt.Errorf("settle a policy: %w", err)
	}
	return nil
}

func record(ctx context.Context, tx pgx.Tx, kind audit.Kind, row Row, by uuid.UUID, at time.Time) error {
	return audit.Record(ctx, tx, audit.Event{Kind: kind, At: at, Clerk: by, Detail: map[string]string{
		"policy": row.ID.String(), "name": row.Name, "value": row.Value, "in_force_from": row.InForceFrom.UTC().Format(time.RFC3339),
	}})
}
