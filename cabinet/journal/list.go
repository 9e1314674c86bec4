package journal

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A Place in a person's journal, between two entries. The zero Place is before the newest one.
type Place struct {
	at time.Time
	id uuid.UUID
}

// ErrPlace says that a text names no place.
var ErrPlace = errors.New("not a place in a journal")

// ParsePlace reads what String wrote, and nothing that only looks like it: decoders pass over line ends.
func ParsePlace(s string) (Place, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 8+16 || binary.BigEndian.Uint64(b) > math.MaxInt64 {
		return Place{}, ErrPlace
	}
	p := Place{time.UnixMicro(int64(binary.BigEndian.Uint64(b))), uuid.UUID(b[8:])}
	if p.String() != s {
		return Place{}, ErrPlace
	}
	return p, nil
}

// String is the place in one word, for a query; it tells nobody anything about the person.
func (p Place) String() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.at.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, p.id[:]...))
}

// IsZero tells whether it is the place before the newest entry.
func (p Place) IsZero() bool { return p == Place{} }

// A Page is a part of a journal, newest first. Next is where the older ones begin; zero when there are none.
type Page struct {
	Entries []Entry
	Next    Place
}

// Queue asks for at most limit entries of a person, from a place on, as one part of a batch.
func Queue(b *pgx.Batch, subject string, from Place, limit int, to *Page) {
	const list = `
		SELECT journal.id, person_id AS person, at, kind, actor, coalesce(client_id, '') AS client_id, client.name AS client,
		       coalesce(office, '') AS office, coalesce(acr, '') AS acr, coalesce(agent, '') AS agent, detail,
		       coalesce(cursor, '') AS cursor
		FROM journal
		LEFT JOIN client ON client.id = client_id
		WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)
		  AND ($2::timestamptz IS NULL OR (at, journal.id) < ($2, $3))
		ORDER BY at DESC, journal.id DESC
		LIMIT $4`
	var at *time.Time
	if !from.IsZero() {
		at = &from.at
	}
	b.Queue(list, subject, at, from.id, limit+1).Query(func(rows pgx.Rows) error {
		entries, err := pgx.CollectRows(rows, pgx.RowToStructByName[Entry])
		if err != nil {
			return fmt.Errorf("list the journal: %w", err)
		}
		*to = Page{Entries: entries}
		if len(entries) > limit {
			to.Entries = entries[:limit]
			last := to.Entries[limit-1]
			to.Next = Place{last.At, last.ID}
		}
		return nil
	})
}
