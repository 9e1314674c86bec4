package follow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/profile"
)

// edition is one of the register's: when it was applied there, and after whom it is to be read on here.
type edition struct {
	id    int64
	at    time.Time
	after uuid.UUID
}

// everybody is the id of what is no edition, but all people as they are.
const everybody = 0

// announce notes editions to be read, from their beginning, also those that were read before: a feed that is read
// anew repairs what was missed.
func announce(ctx context.Context, tx pgx.Tx, editions []edition) error {
	const announce = `
		INSERT INTO edition (id, at, after)
		VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET at = excluded.at, after = excluded.after, read_at = NULL`
	for _, e := range editions {
		if _, err := tx.Exec(ctx, announce, e.id, e.at, e.after); err != nil {
			return fmt.Errorf("announce edition %d: %w", e.id, err)
		}
	}
	return nil
}

// read reads the beginning of the oldest edition that was not begun, or else on in one that was, and applies what it has read; done when there is
// none. So a single event is read before the rest of an edition of millions.
func (f *Follower) read(ctx context.Context) (done bool, err error) {
	var (
		e     edition
		pages int64
		none  bool // no cabinet is there yet
	)
	const next = `
		SELECT edition.id, at, after, pages, NOT EXISTS (SELECT FROM cabinet)
		FROM edition, reading WHERE read_at IS NULL ORDER BY begun, edition.id LIMIT 1`
	switch err := f.cfg.Pool.QueryRow(ctx, next).Scan(&e.id, &e.at, &e.after, &pages, &none); {
	case errors.Is(err, pgx.ErrNoRows):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("find an edition to read: %w", err)
	}
	if none && e.id != everybody {
		if err := f.fill(ctx, e, pages); err != nil && !errors.Is(err, errMoved) {
			return false, fmt.Errorf("fill with edition %d: %w", e.id, err)
		}
		return false, nil
	}
	if e.id == everybody {
		err = f.readEverybody(ctx, e, pages)
	} else {
		err = f.readTouched(ctx, e, pages)
	}
	if err != nil && !errors.Is(err, errMoved) {
		return false, fmt.Errorf("read edition %d: %w", e.id, err)
	}
	return false, nil
}

// readEverybody applies the next page of all people. It tells as well who has the identifier in use, and who is no more: whoever it leaves out; and not
// since when somebody has a number.
func (f *Follower) readEverybody(ctx context.Context, e edition, pages int64) error {
	page, err := f.cfg.Feed.everybody(ctx, e.after, peopleAtOnce)
	if err != nil {
		return err
	}
	till := uuid.Max
	if page.Next != nil {
		till = *page.Next
	}
	var there, active []uuid.UUID
	for _, p := range page.People {
		there = append(there, p.ID)
		if p.Identifier == "active" {
			active = append(active, p.ID)
		}
	}
	return f.applyPage(ctx, e, pages, page, func(tx pgx.Tx) error {
		if err := access.Doubt(ctx, tx, e.at); err != nil {
			return err
		}
		if err := profile.SignedIn(ctx, tx, active, e.at); err != nil {
			return err
		}
		return profile.Clear(ctx, tx, there, e.after, till)
	})
}

// readTouched applies the next pages of whom an edition touched, each as soon as it has come: while one is applied the provider writes on.
func (f *Follower) readTouched(ctx context.Context, e edition, pages int64) error {
	size, most := cmp.Or(f.cfg.page, touchedAtOnce), cmp.Or(f.cfg.pages, answerPages)
	return f.cfg.Feed.touched(ctx, e.id, e.after, most*size, func(next func() (person, error)) error {
		for range most {
			page, err := pageOf(size, next)
			if err == nil {
				err = f.applyPage(ctx, e, pages, page, func(pgx.Tx) error { return nil })
			}
			if err != nil || page.Next == nil {
				return err
			}
			e.after, pages = *page.Next, pages+1
		}
		return nil
	})
}

// pageOf takes a page of people of so many, the last of which is shorter.
func pageOf(size int, next func() (person, error)) (page people, err error) {
	page.People = make([]person, 0, size)
	for len(page.People) < size {
		p, err := next()
		if errors.Is(err, io.EOF) {
			return page, nil
		}
		if err != nil {
			return people{}, err
		}
		page.People = append(page.People, p)
	}
	page.Next = &page.People[size-1].ID
	return page, nil
}

// applyPage makes cabinets of a page of people, and what else it tells, and moves past it, in one transaction. A page that was read before another one
// was applied is read again: of somebody in both it may tell what was so before.
func (f *Follower) applyPage(ctx context.Context, e edition, pages int64, page people, also func(pgx.Tx) error) error {
	incoming := make([]profile.Person, len(page.People))
	for i, p := range page.People {
		incoming[i] = p.profiled()
	}
	return pgx.BeginFunc(ctx, f.cfg.Pool, func(tx pgx.Tx) error {
		err := f.turn(ctx, tx, e, pages, page.Next)
		if err == nil && len(incoming) > 0 {
			err = profile.Apply(ctx, tx, incoming, e.at)
		}
		if err != nil {
			return err
		}
		return also(tx)
	})
}

// fill makes the cabinets of all whom an edition touched, where there are none yet, in one transaction: what is read goes from one database to
// the other as it comes. The turn is taken first: then another node waits, and does not read everybody for nothing.
func (f *Follower) fill(ctx context.Context, e edition, pages int64) error {
	return pgx.BeginFunc(ctx, f.cfg.Pool, func(tx pgx.Tx) error {
		if err := f.turn(ctx, tx, e, pages, nil); err != nil {
			return err
		}
		return f.cfg.Feed.touched(ctx, e.id, uuid.Nil, 0, func(next func() (person, error)) error {
			return profile.Fill(ctx, tx, func() (profile.Person, error) {
				p, err := next()
				return p.profiled(), err
			}, e.at)
		})
	})
}

// turn moves past a page, whose people are to be applied in the same transaction; errMoved where another was applied since it was read.
func (f *Follower) turn(ctx context.Context, tx pgx.Tx, e edition, pages int64, next *uuid.UUID) error {
	const turn = `UPDATE reading SET pages = pages + 1 WHERE pages = $1`
	const move = `
		UPDATE edition SET after = coalesce($3, after), read_at = CASE WHEN $3::uuid IS NULL THEN $4::timestamptz END
		WHERE id = $1 AND after = $2 AND read_at IS NULL`
	tag, err := tx.Exec(ctx, turn, pages)
	if err == nil && tag.RowsAffected() > 0 {
		tag, err = tx.Exec(ctx, move, e.id, e.after, next, f.cfg.Now())
	}
	if err == nil && tag.RowsAffected() == 0 {
		err = errMoved
	}
	return err
}

// profiled is a person as far as the cabinet keeps what the register says.
func (p person) profiled() profile.Person {
	return profile.Person{
		ID: p.ID, Number: p.IdentificationNumber, Sex: p.Sex, BirthDate: p.BirthDate, Citizenship: p.Citizenship,
		Gone: p.gone(), Incapable: since(p.Incapable), Limited: since(p.Limited),
	}
}

// gone tells why a person's cabinet is deactivated (order 82, p. 10). Incapacity is no such reason, unless the operator has settled so.
func (p person) gone() profile.Reason {
	switch {
	case p.Death != nil:
		return profile.Death
	case p.DeclaredDead != nil:
		return profile.DeclaredDead
	case p.Missing != nil:
		return profile.Missing
	case p.DeactivatedFor == string(profile.Incapable):
		return profile.Incapable
	}
	return ""
}

// since gives the date of a fact, nil for none.
func since(f *fact) *time.Time {
	if f == nil {
		return nil
	}
	return &f.Date.Time
}
