package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/chain"
)

// A Break is the first place where the events are not as they were recorded.
type Break struct {
	Place Cursor
	Event uuid.UUID // uuid.Nil where it is not about one
	Why   string
}

func (b *Break) Error() string {
	where := fmt.Sprintf("at place %d", b.Place)
	if b.Event != uuid.Nil {
		where += ", event " + b.Event.String()
	}
	return "the chain of events is broken " + where + ": " + b.Why
}

// A Proof says what was proved.
type Proof struct {
	From, To Cursor // events after From, up to To
	Roots    int    // signed roots that the chain goes through
	Earlier  int    // roots of before From, of which nothing can be said
}

// A Verifier proves that events are as they were recorded.
type Verifier struct {
	Pool *pgxpool.Pool
	Key  KeyFinder
}

// linked is an event as it is linked: by provider/chain, of fields that PostgreSQL writes.
type linked struct {
	Place  Cursor
	ID     uuid.UUID
	Link   []byte
	Fields []*string
}

// Verify reckons the chain again from the rows, from its beginning to its end, and holds it against every signed root
// that the database has, and against those that were kept elsewhere. A *Break, where it does not come out. told hears
// how far it is.
func (v Verifier) Verify(ctx context.Context, kept []string, told func(done, total int64)) (Proof, error) {
	const ends = `SELECT event_base.place, event_base.link, event_head.place, event_head.link FROM event_base, event_head`

	var (
		proof      Proof
		base, head []byte
	)
	if err := v.Pool.QueryRow(ctx, ends).Scan(&proof.From, &base, &proof.To, &head); err != nil {
		return proof, fmt.Errorf("find the ends of the chain: %w", err)
	}
	roots, err := v.roots(ctx, kept)
	if err != nil {
		return proof, err
	}
	at, link := proof.From, chain.Link(base)
	passed := func() error {
		for _, root := range roots[at] {
			if root.Link != link {
				return &Break{Place: at, Why: "the root that was signed on " + root.Day + " says otherwise"}
			}
			proof.Roots++
		}
		delete(roots, at)
		return nil
	}
	if err := passed(); err != nil {
		return proof, err
	}
	err = v.each(ctx, proof.From, proof.To, func(e linked) error {
		if e.Place != at+1 {
			return &Break{Place: min(e.Place, at+1), Event: e.ID, Why: "an event is missing before it, or stands in its place"}
		}
		if link = link.Next(e.Fields...); !bytes.Equal(link[:], e.Link) {
			return &Break{Place: e.Place, Event: e.ID, Why: "it is not what was recorded"}
		}
		at = e.Place
		told(int64(at-proof.From), int64(proof.To-proof.From))
		return passed()
	})
	if err != nil {
		return proof, err
	}
	if at < proof.To {
		return proof, &Break{Place: at + 1, Why: "there is no event"}
	}
	if !bytes.Equal(link[:], head) {
		return proof, &Break{Place: at, Why: "the end of the chain is another"}
	}
	for place, left := range roots {
		if place > proof.To {
			return proof, &Break{Place: place, Why: "the root that was signed on " + left[0].Day + " is of events that are not there"}
		}
		proof.Earlier += len(left)
	}
	return proof, nil
}

// roots are all signed roots, by their place.
func (v Verifier) roots(ctx context.Context, kept []string) (map[Cursor][]Root, error) {
	const find = `SELECT signed FROM audit_root ORDER BY day`

	rows, _ := v.Pool.Query(ctx, find)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read the roots: %w", err)
	}
	roots := map[Cursor][]Root{}
	for i, signed := range append(all, kept...) {
		root, err := v.Key.open(ctx, signed)
		if err != nil {
			whose := "in the database"
			if i >= len(all) {
				whose, i = "that was kept", i-len(all)
			}
			return nil, fmt.Errorf("root %d %s %w", i+1, whose, err)
		}
		roots[Cursor(root.Place)] = append(roots[Cursor(root.Place)], root)
	}
	return roots, nil
}

// each goes through the events after a place. The fields are those of event_record in the migrations.
func (v Verifier) each(ctx context.Context, after, to Cursor, act func(linked) error) error {
	const find = `
		SELECT place, id, link, ARRAY[
			id::text, (extract(epoch FROM at) * 1000000)::bigint::text, kind, person_id::text, clerk_id::text, office, client_id,
			sid, gid::text, acr, agent, edition::text, detail::text]
		FROM event WHERE place > $1 AND place <= $2 ORDER BY place`

	var e linked
	rows, _ := v.Pool.Query(ctx, find, after, to)
	_, err := pgx.ForEachRow(rows, []any{&e.Place, &e.ID, &e.Link, &e.Fields}, func() error { return act(e) })
	if broken := new(Break); err != nil && !errors.As(err, &broken) {
		return fmt.Errorf("read the chain: %w", err)
	}
	return err
}
