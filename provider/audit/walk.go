package audit

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/chain"
)

// A walk goes along the chain, as it stood at one moment.
type walk struct {
	tx    pgx.Tx
	now   time.Time
	proof *Proof
	roots map[Cursor][]Root // that were not passed yet
	at    Cursor
	link  chain.Link
}

// linked is an event as it is linked: by provider/chain, of fields that PostgreSQL writes.
type linked struct {
	Place  Cursor
	ID     uuid.UUID
	Link   []byte
	Fields []*string
}

// read takes the signed roots that the database has, each of the day for which it stands there, and those that were kept.
func (w *walk) read(ctx context.Context, key KeyFinder, kept []string) error {
	const find = `SELECT day, place, signed FROM audit_root ORDER BY day`

	rows, _ := w.tx.Query(ctx, find)
	signed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[SignedRoot])
	if err != nil {
		return err
	}
	w.roots = map[Cursor][]Root{}
	take := func(text string) (Root, error) {
		root, err := key.open(ctx, text)
		if err == nil {
			w.roots[Cursor(root.Place)] = append(w.roots[Cursor(root.Place)], root)
		}
		return root, err
	}
	for _, s := range signed {
		root, err := take(s.Signed)
		if err != nil {
			return fmt.Errorf("the root of %s %w", s.Day.Format(time.DateOnly), err)
		}
		if root.Day != s.Day.Format(time.DateOnly) || Cursor(root.Place) != s.Place {
			return &Break{Place: s.Place, Why: "the root of " + s.Day.Format(time.DateOnly) + " was signed as another"}
		}
		w.proof.Signed = s.Day
	}
	for i, text := range kept {
		root, err := take(text)
		if err != nil {
			return fmt.Errorf("root %d of those that were kept %w", i+1, err)
		}
		w.proof.Kept = max(w.proof.Kept, Cursor(root.Place))
	}
	return nil
}

// begin finds where the chain begins: at its first event, or behind years that were dropped when their time was over. That must be
// recorded in what is left, and no root may be of a later year.
func (w *walk) begin(ctx context.Context) error {
	const base = `SELECT place, link FROM event_base`
	const dropped = `SELECT at, detail FROM event WHERE kind = 'audit.dropped' AND place > $1 AND detail->>'place' = $2 AND detail->>'link' = $3`

	var link []byte
	if err := w.tx.QueryRow(ctx, base).Scan(&w.at, &link); err != nil {
		return err
	}
	w.link, w.proof.From = chain.Link(link), w.at
	if w.at == 0 {
		return w.pass()
	}
	var (
		at     time.Time
		detail map[string]string
		last   int // year that was dropped
	)
	rows, _ := w.tx.Query(ctx, dropped, w.at, strconv.FormatInt(int64(w.at), 10), w.link.String())
	_, err := pgx.ForEachRow(rows, []any{&at, &detail}, func() error {
		if year, err := strconv.Atoi(detail["year"]); err == nil && over(year, LeastYears, at) && !at.After(w.now) {
			last = max(last, year)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if last == 0 {
		return &Break{Place: w.at, Why: "the chain begins behind events that no record says were dropped"}
	}
	for place, roots := range w.roots {
		for _, root := range roots {
			if place <= w.at && root.Day > strconv.Itoa(last+1)+quiet {
				return &Break{Place: place, Why: "events of " + root.Day + " are not there, and their time is not over"}
			}
		}
	}
	return w.pass()
}

// quiet is till when in a new year a root may be of the old one's last event.
const quiet = "-01-07"

// pass holds the link that was reached against the roots of its place.
func (w *walk) pass() error {
	for _, root := range w.roots[w.at] {
		if root.Link != w.link {
			return &Break{Place: w.at, Why: "the root that was signed on " + root.Day + " says otherwise"}
		}
		w.proof.Roots++
	}
	delete(w.roots, w.at)
	return nil
}

// along goes from event to event. The fields are those of event_record in the migrations.
func (w *walk) along(ctx context.Context, told func(done, total int64)) error {
	const find = `
		SELECT place, id, link, ARRAY[
			id::text, (extract(epoch FROM at) * 1000000)::bigint::text, kind, person_id::text, clerk_id::text, office, client_id,
			sid, gid::text, acr, agent, edition::text, detail::text]
		FROM event WHERE place IS NOT NULL ORDER BY place`

	if err := w.tx.QueryRow(ctx, `SELECT place FROM event_head`).Scan(&w.proof.To); err != nil {
		return err
	}
	var e linked
	rows, _ := w.tx.Query(ctx, find)
	_, err := pgx.ForEachRow(rows, []any{&e.Place, &e.ID, &e.Link, &e.Fields}, func() error {
		switch {
		case e.Place != w.at+1:
			return &Break{Place: min(e.Place, w.at+1), Event: e.ID, Why: "an event is missing before it, or it is out of its place"}
		case e.Place > w.proof.To:
			return &Break{Place: e.Place, Event: e.ID, Why: "it stands behind the end of the chain"}
		}
		if w.link = w.link.Next(e.Fields...); !bytes.Equal(w.link[:], e.Link) {
			return &Break{Place: e.Place, Event: e.ID, Why: "it is not what was recorded"}
		}
		w.at = e.Place
		told(int64(w.at-w.proof.From), int64(w.proof.To-w.proof.From))
		return w.pass()
	})
	return err
}

// end holds what was reached against the end of the chain, and against the roots of events that are not there.
func (w *walk) end(ctx context.Context) error {
	var head []byte
	if err := w.tx.QueryRow(ctx, `SELECT link FROM event_head`).Scan(&head); err != nil {
		return err
	}
	switch {
	case w.at < w.proof.To:
		return &Break{Place: w.at + 1, Why: "there is no event"}
	case !bytes.Equal(w.link[:], head):
		return &Break{Place: w.at, Why: "the end of the chain is another"}
	}
	for place, left := range w.roots {
		if place > w.at {
			return &Break{Place: place, Why: "the root that was signed on " + left[0].Day + " is of events that are not there"}
		}
		w.proof.Earlier += len(left)
	}
	return nil
}
