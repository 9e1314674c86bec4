package register

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Why an event is not taken.
var (
	ErrEvent       = errors.New("an event needs a time that has come")
	ErrOtherEvent  = errors.New("the event of this id was told before, and said something else")
	ErrOlderEvent  = errors.New("more is known of the person already")
	ErrNumberTaken = errors.New("the identification number is another person's")
	ErrFormer      = errors.New("nobody has the former identification number, and nobody the one that is to follow it")
	ErrManyGone    = errors.New("events have deactivated so many people in a day that the rest must come as an edition, which another person releases")
)

// A RowError says what is wrong with the row of an event.
type RowError struct{ BadRow }

func (e *RowError) Error() string { return e.Column + ": " + e.Reason }

// A Row is one of an edition's, told alone: by the names of its columns. What is left out is empty.
type Row map[string]string

// Format keeps people out of texts.
func (Row) Format(f fmt.State, _ rune) { fmt.Fprint(f, "a row") }

// LogValue is Format, for logs.
func (Row) LogValue() slog.Value { return slog.StringValue("a row") }

// An Event is what the register tells of one person between its editions.
type Event struct {
	ID     string    `json:"id"`                      // the register's own
	At     time.Time `json:"at"`                      // as of when it says so, by the register's clock
	Former string    `json:"former_number,omitempty"` // the person's identification number until then, where it has become another one
	Person Row       `json:"person"`                  // as they are now

	By       uuid.UUID `json:"-"` // who of the operator's staff tells of it; uuid.Nil: nobody was named
	ClientID string    `json:"-"` // which does so in its own name
	ToldAt   time.Time `json:"-"`

	asked bool // about this one person, by us
}

// Format names the event without telling whom it is about.
func (e Event) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "event %s", e.ID) }

// LogValue is Format, for logs.
func (e Event) LogValue() slog.Value { return slog.StringValue("event " + e.ID) }

// An Outcome is what came of an event.
type Outcome struct {
	Person   uuid.UUID
	Changed  bool // something was not as it says
	Again    bool // this very event was told before: nothing was written now
	Doubtful bool // the check digit of the number is wrong: taken all the same, as in an edition
}

// tolerance is how far the register's clock may be ahead of ours.
const tolerance = 5 * time.Minute

// Take takes an event in, in one transaction with all that follows from it. Told again, it changes and writes nothing.
func (g *Register) Take(ctx context.Context, e Event) (Outcome, error) {
	row, err := e.check()
	if err != nil {
		return Outcome{}, fmt.Errorf("take an event: %w", err)
	}
	conn, err := g.lock(ctx, applying)
	if err != nil {
		return Outcome{}, fmt.Errorf("take an event: %w", err)
	}
	defer unlock(ctx, conn, applying)
	var o Outcome
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		o, err = g.take(ctx, tx, e, row)
		return err
	})
	if refused, ok := errors.AsType[*joinError](err); ok {
		err = errors.Join(err, alert(ctx, conn, e, refused))
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("take an event: %w", err)
	}
	o.Doubtful = CheckNumber(row[number]) != nil
	return o, nil
}

// alert records that two people were not made one, for somebody to look at.
func alert(ctx context.Context, db audit.Batcher, e Event, refused *joinError) error {
	why := "two_people"
	if errors.Is(refused, ErrManyJoined) {
		why = "too_many_joined"
	}
	return audit.Record(ctx, db, audit.Event{
		Kind: audit.JoinRefused, At: e.ToldAt, Person: refused.former, Clerk: e.By, ClientID: e.ClientID,
		Detail: map[string]string{"why": why, "other": refused.present.String()},
	})
}

// check holds that an event is well written, and gives its row in the order of fileColumns.
func (e Event) check() (row [len(fileColumns)]string, err error) {
	if e.ID == "" || !utf8.ValidString(e.ID) || utf8.RuneCountInString(e.ID) > 100 || strings.ContainsFunc(e.ID, unicode.IsControl) {
		return row, &RowError{BadRow{Column: "id", Reason: "text"}}
	}
	if e.At.IsZero() || e.At.After(e.ToldAt.Add(tolerance)) {
		return row, ErrEvent
	}
	if e.Former != "" && errors.Is(CheckNumber(e.Former), ErrNumberShape) {
		return row, &RowError{BadRow{Column: "former_number", Reason: "shape"}}
	}
	for column := range e.Person {
		if !slices.Contains(fileColumns[:], column) {
			return row, &RowError{BadRow{Column: "person", Reason: "unknown_column"}} // which, may be about somebody
		}
	}
	var given fields
	for i, column := range fileColumns {
		row[i] = e.Person[column]
		given[i] = []byte(row[i])
	}
	if column, reason := flaw(&given, day(e.At)); reason != "" {
		return row, &RowError{BadRow{Column: column, Reason: reason}}
	}
	return row, nil
}

// take finds out whom an event is about, gives them their number, writes what else it tells, and keeps that it was told.
func (g *Register) take(ctx context.Context, tx pgx.Tx, e Event, row [len(fileColumns)]string) (o Outcome, err error) {
	if err := g.hold(ctx, tx, e.By); err != nil {
		return Outcome{}, err
	}
	text, err := json.Marshal([]any{e.At.UTC(), e.Former, row})
	if err != nil {
		return Outcome{}, err
	}
	digest := sha256.Sum256(text)
	if o, err = told(ctx, tx, e.ID, digest[:]); err != nil || o.Again {
		return o, err
	}
	w, err := whose(ctx, tx, row[number], e.Former)
	if err != nil {
		return Outcome{}, err
	}
	s, err := stand(ctx, tx, w, e.At)
	if err != nil {
		return Outcome{}, err
	}
	one := Edition{Kind: Delta, NotBefore: e.At, NotAfter: e.At, Announced: 1}
	if one.ID, err = nextChange(ctx, tx); err != nil {
		return Outcome{}, err
	}
	joined, ends, err := g.renumber(ctx, tx, w, one.ID, row[number], e.ToldAt)
	if err != nil {
		return Outcome{}, err
	}
	tookBack, err := g.compareOne(ctx, tx, &one, row, s)
	if err != nil {
		return Outcome{}, err
	}
	if ends = ends || one.Deactivated > 0; ends && !e.asked {
		if err := g.few(ctx, tx, e.ToldAt); err != nil {
			return Outcome{}, err
		}
	}
	if err := g.write(ctx, tx, &one, e.ToldAt); err != nil {
		return Outcome{}, err
	}
	if err := unsay(ctx, tx, &one, aside); err != nil {
		return Outcome{}, err
	}
	const keep = `
		INSERT INTO person_event (id, change, digest, person_id, at, told_at, deactivated, new_number, took_back, told_by, client_id, joined)
		SELECT $1, $2, $3, id, $4, $5, $6, $7, $8, $9, nullif($10, ''), $11 FROM person WHERE identification_number = $12
		RETURNING person_id`
	o.Changed = w.renamed || one.Added+one.Changed > 0
	err = tx.QueryRow(ctx, keep, e.ID, one.ID, digest[:], e.At, e.ToldAt, ends, w.renamed || one.Added > 0, tookBack, person(e.By), e.ClientID, joined, row[number]).Scan(&o.Person)
	if err != nil || !o.Changed {
		return o, err
	}
	changed := audit.Event{Kind: audit.PersonChanged, At: e.ToldAt, Person: o.Person, Edition: one.ID, Clerk: e.By, ClientID: e.ClientID}
	if joined != nil {
		changed.Detail = map[string]string{"joined": joined.String()}
	}
	return o, audit.Record(ctx, tx, changed)
}

// told gives what came of an event that was told before.
func told(ctx context.Context, tx pgx.Tx, id string, digest []byte) (o Outcome, err error) {
	const find = `SELECT person_id, digest = $2 FROM person_event WHERE id = $1`
	err = tx.QueryRow(ctx, find, id, digest).Scan(&o.Person, &o.Again)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Outcome{}, nil
	case err == nil && !o.Again:
		return Outcome{}, ErrOtherEvent
	}
	return o, err
}

// A subject is whom an event is about.
type subject struct {
	known   *uuid.UUID // nil: somebody new
	renamed bool       // their number becomes another one
	other   *uuid.UUID // who is known by that one already; nil: nobody
}

// whose gives whom an event is about, by the number that it tells and the former one.
func whose(ctx context.Context, tx pgx.Tx, number, former string) (subject, error) {
	const find = `
		SELECT (SELECT id FROM person WHERE identification_number = $1),
		       (SELECT person_id FROM former_number WHERE identification_number = $1 ORDER BY at DESC LIMIT 1),
		       (SELECT id FROM person WHERE identification_number = $2)`
	var has, had, before *uuid.UUID // the number now; the number once; the former number still
	err := tx.QueryRow(ctx, find, number, former).Scan(&has, &had, &before)
	switch {
	case err != nil:
		return subject{}, err
	case former == number, before == nil:
		if has == nil && had != nil { // the register has given that person another number since
			return subject{}, ErrOlderEvent
		}
		if has == nil && former != "" && former != number { // known by some third number, of which we were told once or missed it
			return subject{}, ErrFormer
		}
		return subject{known: has}, nil
	case had != nil && *had != *before && (has == nil || *had != *has):
		return subject{}, ErrNumberTaken
	}
	return subject{known: before, renamed: true, other: has}, nil
}

// A standing is how what an event tells stands to what is known.
type standing struct {
	unordered bool // what is known was told by an edition that may be the later one of the two
	overtaken bool // of who is known by the new number more is known already: all that the event tells is whose it is
}

// stand holds that an event tells more than is known of whom it is about, and of who is one with them by it; and keeps both as they are.
func stand(ctx context.Context, tx pgx.Tx, w subject, at time.Time) (s standing, err error) {
	// An edition tells of everybody: who is left out of a delta is as before, and whom none has told of was not there, or had another number.
	const find = `
		SELECT EXISTS (SELECT FROM person_event WHERE person_id = $1 AND at > $3),
		       EXISTS (SELECT FROM person_event WHERE person_id = $2 AND at > $3) OR EXISTS (SELECT FROM edition WHERE state = 'applied' AND not_before > $3),
		       EXISTS (SELECT FROM edition WHERE id = ANY (changes) AND not_after > $3)
		FROM (SELECT array_agg(changed_in) AS changes FROM (SELECT changed_in FROM person WHERE id IN ($1, $2) ORDER BY id FOR NO KEY UPDATE) AS person) AS known`
	var more, late bool
	err = tx.QueryRow(ctx, find, w.known, w.other, at).Scan(&more, &late, &s.unordered)
	switch {
	case err != nil:
		return standing{}, err
	case more, late && w.other == nil:
		return standing{}, ErrOlderEvent
	}
	s.overtaken = late
	return s, nil
}

// renumber gives whom an event is about the number that becomes theirs. Where they are one with somebody by that, it gives who is no more, and
// whether what was told of them ends who stays.
func (g *Register) renumber(ctx context.Context, tx pgx.Tx, w subject, change int64, number string, at time.Time) (joined *uuid.UUID, ends bool, err error) {
	switch {
	case w.other != nil:
		return g.join(ctx, tx, *w.known, *w.other, change, at)
	case w.renamed:
		return nil, false, g.rename(ctx, tx, *w.known, change, number, at)
	}
	return nil, false, nil
}

// compareOne compares the row of an event with what is known, unless that is overtaken, and gives what it takes back. An event that may be the earlier
// one is not taken where it takes anything back, be it for another end.
func (g *Register) compareOne(ctx context.Context, tx pgx.Tx, one *Edition, row [len(fileColumns)]string, s standing) (tookBack []string, err error) {
	if err := setAside(ctx, tx); err != nil {
		return nil, err
	}
	if !s.overtaken {
		if err := setOneAside(ctx, tx, row); err != nil {
			return nil, err
		}
	}
	if _, err := g.compare(ctx, tx, one, aside); err != nil {
		return nil, err
	}
	tookBack, revives, err := takesBack(ctx, tx)
	if err == nil && s.unordered && (len(tookBack) > 0 || revives) {
		err = ErrOlderEvent
	}
	return tookBack, err
}

// takesBack gives which deaths, declarations of death and of being missing are known that an event tells no longer, and whether nothing is left that
// ends its person.
func takesBack(ctx context.Context, tx pgx.Tx) (ends []string, revives bool, err error) {
	find := `
		SELECT ARRAY (
			SELECT known
			FROM (VALUES
				(` + ending("death", "p") + `, d.death_date),
				(` + ending("declared_dead", "p") + `, d.declared_dead_date),
				(` + ending("missing", "p") + `, d.missing_date)
			) AS ends (known, told)
			WHERE known IS NOT NULL AND told IS NULL
		), was_gone AND NOT gone
		FROM difference AS d LEFT JOIN person AS p USING (id)`
	err = tx.QueryRow(ctx, find).Scan(&ends, &revives)
	if errors.Is(err, pgx.ErrNoRows) { // nothing is otherwise than known
		return nil, false, nil
	}
	return ends, revives, err
}

// rename gives a person another identification number, and keeps the one there was. What that ends comes first: the identifier is locked
// before the number, as it is by whoever acts upon it.
func (g *Register) rename(ctx context.Context, tx pgx.Tx, who uuid.UUID, change int64, number string, at time.Time) error {
	const keep = `
		INSERT INTO former_number (person_id, at, identification_number)
		SELECT id, $2, identification_number FROM person WHERE id = $1`
	const rename = `UPDATE person SET identification_number = $2, changed_in = $3 WHERE id = $1`
	if err := call(ctx, tx, g.Renumbered, []uuid.UUID{who}, at); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, keep, who, at); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, rename, who, number, change)
	return err
}

// setOneAside sets a row aside by itself.
func setOneAside(ctx context.Context, tx pgx.Tx, row [len(fileColumns)]string) error {
	const insert = `
		INSERT INTO ` + aside + lines + `
		VALUES (0, $1, $2, $3, $4, nullif($5, '')::date, nullif($6, ''), nullif($7, '')::date, nullif($8, ''), nullif($9, '')::date, nullif($10, ''),
		        nullif($11, '')::date, nullif($12, ''), nullif($13, '')::date, nullif($14, ''))`
	values := make([]any, len(row))
	for i, value := range row {
		values[i] = value
	}
	_, err := tx.Exec(ctx, insert, values...)
	return err
}

// few holds that a single event does not deactivate somebody beside so many that an edition would wait for a second person.
func (g *Register) few(ctx context.Context, tx pgx.Tx, at time.Time) error {
	many, err := g.many(ctx, tx, 1, at)
	if err == nil && many {
		return ErrManyGone
	}
	return err
}
