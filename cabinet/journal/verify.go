package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/chain"
)

// A Break is the first place where entries are not as they were written.
type Break struct {
	Month string
	Place int64
	Entry uuid.UUID // uuid.Nil where it is not about one
	Why   string
}

func (b *Break) Error() string {
	where := fmt.Sprintf("in %s at place %d", b.Month, b.Place)
	if b.Entry != uuid.Nil {
		where += ", entry " + b.Entry.String()
	}
	return "the journal is broken " + where + ": " + b.Why
}

// A Proof says what was proved.
type Proof struct {
	Months  int
	Entries int64
	Waiting int64 // entries without a place yet, of which nothing can be said
	Roots   int   // signed roots that the chains go through
	Dropped int   // months that were dropped when their time was over, of which nothing can be said
}

// A Verifier proves that entries are as they were written.
type Verifier struct {
	Pool *pgxpool.Pool
	Key  KeyFinder
	Now  func() time.Time
}

// Verify reckons the chains again from the rows and holds them against every signed root that the database has, and against those that were kept
// elsewhere. A *Break, where it does not come out.
func (v Verifier) Verify(ctx context.Context, kept []string) (proof Proof, err error) {
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, v.Pool, snapshot, func(tx pgx.Tx) error {
		w := walk{tx: tx, now: v.Now(), proof: &proof}
		if err := w.read(ctx, v.Key, kept); err != nil {
			return err
		}
		return w.along(ctx)
	})
	if broken := new(Break); err != nil && !errors.As(err, &broken) {
		err = fmt.Errorf("verify the journal: %w", err)
	}
	return proof, err
}

// A walk goes along the chains, as they stood at one moment.
type walk struct {
	tx    pgx.Tx
	now   time.Time
	proof *Proof
	heads map[string]Head
	roots map[string]map[int64][]signedLink // by month and place
}

// A signedLink is what a root says of a place.
type signedLink struct {
	link chain.Link
	day  string
}

// read takes how far the chains have come, and the signed roots: those that the database has, each of the day for which it stands there, and
// those that were kept.
func (w *walk) read(ctx context.Context, key KeyFinder, kept []string) error {
	const find = `SELECT day, signed FROM journal_root ORDER BY day`
	const waiting = `SELECT count(*) FROM journal WHERE place IS NULL`

	all, err := heads(ctx, w.tx)
	if err != nil {
		return err
	}
	w.heads, w.roots = map[string]Head{}, map[string]map[int64][]signedLink{}
	for _, head := range all {
		w.heads[head.Month] = head
	}
	if err := w.tx.QueryRow(ctx, waiting).Scan(&w.proof.Waiting); err != nil {
		return err
	}
	rows, _ := w.tx.Query(ctx, find)
	signed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Day    time.Time
		Signed string
	}])
	if err != nil {
		return err
	}
	for _, s := range signed {
		day := s.Day.Format(time.DateOnly)
		root, err := w.take(ctx, key, s.Signed)
		if err != nil {
			return fmt.Errorf("the root of %s %w", day, err)
		}
		if root.Day != day {
			return &Break{Month: day[:len(monthLayout)], Why: "the root of " + day + " was signed as another"}
		}
	}
	for i, text := range kept {
		if _, err := w.take(ctx, key, text); err != nil {
			return fmt.Errorf("root %d of those that were kept %w", i+1, err)
		}
	}
	return nil
}

func (w *walk) take(ctx context.Context, key KeyFinder, signed string) (Root, error) {
	root, err := key.open(ctx, signed)
	if err != nil {
		return root, err
	}
	w.proof.Roots++
	for _, head := range root.Heads {
		if w.roots[head.Month] == nil {
			w.roots[head.Month] = map[int64][]signedLink{}
		}
		w.roots[head.Month][head.Place] = append(w.roots[head.Month][head.Place], signedLink{head.Link, root.Day})
	}
	return root, nil
}

// along goes from month to month: those whose entries are there, and those that somebody once signed for.
func (w *walk) along(ctx context.Context) error {
	const find = `SELECT DISTINCT journal_month(at) FROM journal WHERE place IS NOT NULL`

	rows, _ := w.tx.Query(ctx, find)
	there, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return err
	}
	months := map[string]bool{}
	for _, month := range there {
		months[month.Format(monthLayout)] = true
	}
	for month := range w.heads {
		months[month] = true
	}
	for month := range w.roots {
		months[month] = true
	}
	for _, month := range slices.Sorted(maps.Keys(months)) {
		if err := w.month(ctx, month); err != nil {
			return err
		}
	}
	return nil
}

// linked is an entry as it is linked: by provider/chain, of fields that PostgreSQL writes.
type linked struct {
	Place  int64
	ID     uuid.UUID
	Link   []byte
	Fields []*string
}

// month goes from entry to entry of one month. The fields are those of journal_record in the migrations.
func (w *walk) month(ctx context.Context, month string) error {
	const find = `
		SELECT place, id, link, ARRAY[
			id::text, person_id::text, (extract(epoch FROM at) * 1000000)::bigint::text, kind, actor, client_id, office, acr, agent, detail::text]
		FROM journal WHERE at >= $1 AND at < $2 AND place IS NOT NULL ORDER BY place`

	first, err := time.Parse(monthLayout, month)
	if err != nil {
		return err
	}
	head, known := w.heads[month]
	var (
		e    linked
		at   int64
		link chain.Link
	)
	rows, _ := w.tx.Query(ctx, find, first, first.AddDate(0, 1, 0))
	_, err = pgx.ForEachRow(rows, []any{&e.Place, &e.ID, &e.Link, &e.Fields}, func() error {
		switch {
		case e.Place != at+1:
			return &Break{Month: month, Place: min(e.Place, at+1), Entry: e.ID, Why: "an entry is missing before it, or it is out of its place"}
		case e.Place > head.Place:
			return &Break{Month: month, Place: e.Place, Entry: e.ID, Why: "it stands behind the end of the chain"}
		}
		if link = link.Next(e.Fields...); !bytes.Equal(link[:], e.Link) {
			return &Break{Month: month, Place: e.Place, Entry: e.ID, Why: "it is not what was written"}
		}
		at = e.Place
		w.proof.Entries++
		for _, signed := range w.roots[month][at] {
			if signed.link != link {
				return &Break{Month: month, Place: at, Entry: e.ID, Why: "the root that was signed on " + signed.day + " says otherwise"}
			}
		}
		delete(w.roots[month], at)
		return nil
	})
	switch {
	case err != nil:
		return err
	case !known && at == 0 && over(first, LeastYears, w.now):
		w.proof.Dropped++
		return nil
	case at < head.Place:
		return &Break{Month: month, Place: at + 1, Why: "there is no entry"}
	case known && link != head.Link:
		return &Break{Month: month, Place: at, Why: "the end of the chain is another"}
	}
	for place, left := range w.roots[month] {
		return &Break{Month: month, Place: place, Why: "the root that was signed on " + left[0].day + " is of entries that are not there"}
	}
	w.proof.Months++
	return nil
}
