package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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
	From, To Cursor    // events after From, up to To
	Roots    int       // signed roots that the chain goes through
	Earlier  int       // roots of events that were dropped, of which nothing can be said
	Signed   time.Time // the day of the last root; zero, where none was ever signed
	Kept     Cursor    // how far it is proved of the owner of the tables too, by the roots that were kept elsewhere
}

// A Verifier proves that events are as they were recorded.
type Verifier struct {
	Pool *pgxpool.Pool
	Key  KeyFinder
	Now  func() time.Time
}

// Verify reckons the chain again from the rows, from its beginning to its end, and holds it against every signed root that the database has,
// and against those that were kept elsewhere. A *Break, where it does not come out. told hears how far it is.
func (v Verifier) Verify(ctx context.Context, kept []string, told func(done, total int64)) (proof Proof, err error) {
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, v.Pool, snapshot, func(tx pgx.Tx) error {
		w := walk{tx: tx, now: v.Now(), proof: &proof}
		if err := w.read(ctx, v.Key, kept); err != nil {
			return err
		}
		if err := w.begin(ctx); err != nil {
			return err
		}
		if err := w.along(ctx, told); err != nil {
			return err
		}
		return w.end(ctx)
	})
	if broken := new(Break); err != nil && !errors.As(err, &broken) {
		err = fmt.Errorf("verify the events: %w", err)
	}
	return proof, err
}
