package body

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
)

// Meanings.
var (
	ErrUnknown    = errors.New("no such body, or not one of theirs")
	ErrName       = errors.New("not a name: from 1 to 500 characters that are printed, in ru, be, en or none")
	ErrNobody     = errors.New("nobody who could represent a body")
	ErrNoProposal = errors.New("no such proposal")
	ErrOpen       = errors.New("another proposal is open")
	ErrReason     = errors.New("not a reason: from 1 to 500 characters")
)

// A Body is an organisation that runs e-services.
type Body struct {
	ID      uuid.UUID
	Names   clients.Texts
	AddedAt time.Time
}

// Describe tells a body to whoever manages it, its names as RFC 7591 §2.2 writes texts in languages.
func (b Body) Describe() map[string]any {
	members := map[string]any{"id": b.ID}
	for language, name := range b.Names {
		if language == "" {
			members["name"] = name
		} else {
			members["name#"+language] = name
		}
	}
	return members
}

// Config is what Bodies need.
type Config struct {
	Pool    *pgxpool.Pool
	Clients *clients.Registry
	Jobs    grant.Jobs
	Denials *grant.Denials

	// Judges tells whether somebody is of the operator's staff who judge what bodies propose, and holds it until the transaction ends.
	Judges func(ctx context.Context, tx pgx.Tx, person uuid.UUID) (bool, error)
}

// Bodies keeps the bodies.
type Bodies struct{ cfg Config }

// New makes Bodies.
func New(cfg Config) *Bodies { return &Bodies{cfg} }

// Add adds a body.
func (b *Bodies) Add(ctx context.Context, names clients.Texts, by clients.By) (Body, error) {
	const insert = `INSERT INTO body (id, names, added_at) VALUES ($1, $2, $3)`

	if err := checkNames(names); err != nil {
		return Body{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Body{}, err
	}
	added := Body{ID: id, Names: names, AddedAt: by.At}
	err = pgx.BeginFunc(ctx, b.cfg.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insert, id, names, by.At); err != nil {
			return err
		}
		return record(ctx, tx, audit.Event{Kind: audit.BodyAdded}, by, map[string]uuid.UUID{"body": id})
	})
	if err != nil {
		return Body{}, fmt.Errorf("add a body: %w", err)
	}
	return added, nil
}

// checkNames holds names to what a page can show. One of them is for all languages that have none.
func checkNames(names clients.Texts) error {
	for language, name := range names {
		if language != "" && language != "ru" && language != "be" && language != "en" {
			return ErrName
		}
		if !readable(name) {
			return ErrName
		}
	}
	if names[""] == "" {
		return ErrName
	}
	return nil
}

// readable tells whether a person can be shown the text: not empty, not too long, and nothing that turns or hides it.
func readable(text string) bool {
	n := utf8.RuneCountInString(text)
	return n > 0 && n <= 500 && utf8.ValidString(text) && strings.TrimSpace(text) != "" &&
		!strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

// record keeps what was done, in the transaction in which it is done, and who did it.
func record(ctx context.Context, tx pgx.Tx, e audit.Event, by clients.By, what map[string]uuid.UUID) error {
	e.At, e.Detail = by.At, by.Detail()
	for name, id := range what {
		e.Detail[name] = id.String()
	}
	return audit.Record(ctx, tx, e)
}

// List gives all bodies, in the order in which they came.
func (b *Bodies) List(ctx context.Context) ([]Body, error) {
	const list = `SELECT id, names, added_at FROM body ORDER BY id`

	return b.bodies(ctx, list)
}

// Of gives the bodies that a person represents.
func (b *Bodies) Of(ctx context.Context, person uuid.UUID) ([]Body, error) {
	const of = `
		SELECT id, names, added_at FROM body JOIN representative ON body_id = id
		WHERE person_id = $1 AND removed_at IS NULL ORDER BY id`

	return b.bodies(ctx, of, person)
}

func (b *Bodies) bodies(ctx context.Context, query string, args ...any) ([]Body, error) {
	rows, _ := b.cfg.Pool.Query(ctx, query, args...)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Body])
	if err != nil {
		return nil, fmt.Errorf("list bodies: %w", err)
	}
	return all, nil
}

// Find gives a body, or ErrUnknown.
func (b *Bodies) Find(ctx context.Context, id uuid.UUID) (Body, error) {
	const find = `SELECT id, names, added_at FROM body WHERE id = $1`

	found, err := b.bodies(ctx, find, id)
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Body{}, err
	}
	return found[0], nil
}
