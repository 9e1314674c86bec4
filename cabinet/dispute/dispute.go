package dispute

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/seal"
)

// A State of a dispute, drawn in doc.go.
type State string

// States. In the first two it is open.
const (
	Received  State = "received"
	Sent      State = "sent"
	Withdrawn State = "withdrawn"
	Corrected State = "corrected" // the source agrees: the value comes anew from there
	Upheld    State = "upheld"    // the source says that the value is right
)

// Meanings.
var (
	ErrWords   = errors.New("not words that can be sent on")
	ErrUnknown = errors.New("no such dispute")
	ErrEnded   = errors.New("the dispute has ended")
)

// A Dispute is about one value as it stood.
type Dispute struct {
	ID        uuid.UUID
	Name      string // of the value, as the journal calls it
	Source    string
	Value     string
	Words     string // of the citizen's
	Restricts bool   // e-services are not given the value until it ends
	State     State
	At        time.Time
	SentAt    *time.Time
	EndedAt   *time.Time
	Answer    string // "" where there is none
}

// Format keeps it out of texts.
func (d Dispute) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "dispute "+d.ID.String()) }

// Open tells whether it is still to be answered.
func (d Dispute) Open() bool { return d.EndedAt == nil }

// longest is how many characters a citizen or an answer may use.
const longest = 2000

// ParseWords takes what somebody has written, lines and all.
func ParseWords(s string) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > longest ||
		strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsGraphic(r) }) {
		return "", ErrWords
	}
	return s, nil
}

// A Book keeps disputes.
type Book struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
}

// kept is a Dispute as it lies in the database.
type kept struct {
	ID                   uuid.UUID
	Name, Source         string
	Value, Words, Answer []byte // sealed
	Restricts            bool
	State                State
	At                   time.Time
	SentAt, EndedAt      *time.Time
}

const columns = `id, name, source, value, words, restricts, state, at, sent_at, ended_at, answer`

const disputes = `
	SELECT ` + columns + `
	FROM dispute
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)
	ORDER BY at DESC, id DESC`

// Queue asks for all disputes of a citizen, the latest first, as one part of a batch.
func (k Book) Queue(b *pgx.Batch, subject string, to *[]Dispute) {
	b.Queue(disputes, subject).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[kept])
		if err != nil {
			return fmt.Errorf("find disputes: %w", err)
		}
		for _, f := range found {
			d, err := k.read(f)
			if err != nil {
				return fmt.Errorf("find disputes: %w", err)
			}
			*to = append(*to, d)
		}
		return nil
	})
}

// read opens what is sealed.
func (k Book) read(f kept) (Dispute, error) {
	d := Dispute{
		ID: f.ID, Name: f.Name, Source: f.Source, Restricts: f.Restricts, State: f.State, At: f.At, SentAt: f.SentAt, EndedAt: f.EndedAt,
	}
	for _, part := range []struct {
		column string
		sealed []byte
		to     *string
	}{{"value", f.Value, &d.Value}, {"words", f.Words, &d.Words}, {"answer", f.Answer, &d.Answer}} {
		if part.sealed == nil {
			continue
		}
		plain, err := k.Box.Open(place(part.column, f.ID), part.sealed)
		if err != nil {
			return Dispute{}, err
		}
		*part.to = string(plain)
	}
	return d, nil
}

func place(column string, id uuid.UUID) string { return "dispute:" + column + ":" + id.String() }
