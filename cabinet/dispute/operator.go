package dispute

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
)

// A Waiting is an open dispute as an operator's list has it: of what was said it tells nothing.
type Waiting struct {
	ID     uuid.UUID  `json:"id"`
	At     time.Time  `json:"at"`
	Person uuid.UUID  `json:"person"`
	Name   string     `json:"value"`
	Source string     `json:"source"`
	State  State      `json:"state"`
	SentAt *time.Time `json:"sent_at,omitempty"`
}

const waiting = `SELECT id, at, person_id, name, source, state, sent_at FROM dispute WHERE ended_at IS NULL ORDER BY at, id`

// List gives the disputes that are open, the earliest first.
func List(ctx context.Context, pool *pgxpool.Pool) ([]Waiting, error) {
	rows, _ := pool.Query(ctx, waiting)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Waiting])
	if err != nil {
		return nil, fmt.Errorf("list disputes: %w", err)
	}
	return found, nil
}

// A Letter is what is sent to whoever a value is from.
type Letter struct {
	ID      uuid.UUID `json:"id"`
	At      time.Time `json:"at"`
	Subject string    `json:"identification_number"`
	Name    string    `json:"value"`
	Source  string    `json:"source"`
	Stands  string    `json:"stands"`
	Words   string    `json:"words"`
}

// Format keeps it out of texts.
func (l Letter) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "letter of dispute %s", l.ID) }

// Send gives an open dispute to be sent on. That somebody read it stands in the citizen's journal, each time.
func (k Book) Send(ctx context.Context, id uuid.UUID, by string, at time.Time) (l Letter, err error) {
	const send = `
		UPDATE dispute SET state = 'sent', sent_at = coalesce(sent_at, $2), by = $3
		WHERE id = $1 AND ended_at IS NULL
		RETURNING ` + columns
	const person = `
		SELECT dispute.person_id, coalesce(identification_number, '')
		FROM dispute JOIN cabinet USING (person_id)
		WHERE id = $1`

	err = pgx.BeginFunc(ctx, k.Pool, func(tx pgx.Tx) error {
		var of uuid.UUID
		if err := tx.QueryRow(ctx, person, id).Scan(&of, &l.Subject); err != nil {
			return missing(err, ErrUnknown)
		}
		rows, _ := tx.Query(ctx, send, id, at, by)
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[kept])
		if err != nil {
			return missing(err, ErrEnded)
		}
		d, err := k.read(found)
		if err != nil {
			return err
		}
		l.ID, l.At, l.Name, l.Source, l.Stands, l.Words = d.ID, d.At.UTC(), d.Name, d.Source, d.Value, d.Words
		return journal.Append(ctx, tx, []journal.Entry{{
			Person: of, At: at, Kind: journal.DisputeSent, Actor: journal.Staff, Detail: map[string]string{"field": d.Name, "source": d.Source},
		}})
	})
	if err != nil {
		return Letter{}, fmt.Errorf("send dispute %s: %w", id, err)
	}
	return l, nil
}

// An Answer is what the source says to a dispute.
type Answer struct {
	Outcome State // Corrected or Upheld
	Words   string
	By      string // on the operator's side
	At      time.Time
}

// ErrStays says that a dispute was ended, but that the corrected value will not come: its source is out of force, and nobody is asked anew.
var ErrStays = errors.New("its source is out of force, and nobody is asked anew: the citizen goes on seeing the old value")

// Answer ends a dispute, with its record. Where a value was corrected its source, and no other, is asked anew; ErrStays, where that cannot be.
func (k Book) Answer(ctx context.Context, id uuid.UUID, a Answer) error {
	const find = `SELECT person_id, name, source FROM dispute WHERE id = $1`
	const answer = `UPDATE dispute SET state = $2, ended_at = $3, answer = $4, by = $5 WHERE id = $1 AND ended_at IS NULL`

	words, err := ParseWords(a.Words)
	if err != nil {
		return fmt.Errorf("answer dispute %s: %w", id, err)
	}
	sealed, err := k.Box.Seal(place("answer", id), []byte(words))
	if err != nil {
		return fmt.Errorf("answer dispute %s: %w", id, err)
	}
	comes := true
	err = pgx.BeginFunc(ctx, k.Pool, func(tx pgx.Tx) error {
		var (
			of           uuid.UUID
			name, source string
		)
		if err := tx.QueryRow(ctx, find, id).Scan(&of, &name, &source); err != nil {
			return missing(err, ErrUnknown)
		}
		tag, err := tx.Exec(ctx, answer, id, string(a.Outcome), a.At, sealed, a.By)
		if err == nil && tag.RowsAffected() == 0 {
			err = ErrEnded
		}
		if err != nil {
			return err
		}
		if a.Outcome == Corrected {
			if comes, err = profile.AskAnew(ctx, tx, of, source, a.At); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, []journal.Entry{{
			Person: of, At: a.At, Kind: journal.DisputeAnswered, Actor: journal.Staff,
			Detail: map[string]string{"field": name, "source": source, "outcome": string(a.Outcome)},
		}})
	})
	if err != nil {
		return fmt.Errorf("answer dispute %s: %w", id, err)
	}
	if !comes {
		return ErrStays
	}
	return nil
}

// missing gives what it means that there is no row.
func missing(err, meaning error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return meaning
	}
	return err
}
