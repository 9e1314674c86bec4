package journal

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/wall"
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

// entries are those of the person whom a token's subject names. Whether one was reported is looked up for each: joined, everybody's
// reports would be read for a page.
const entries = `
	SELECT journal.id, journal.person_id AS person, journal.at, kind, actor, coalesce(client_id, '') AS client_id, client.name AS client,
	       coalesce(office, '') AS office, coalesce(acr, '') AS acr, coalesce(agent, '') AS agent, detail,
	       (SELECT report.at FROM report WHERE entry_id = journal.id) AS reported_at
	FROM journal
	LEFT JOIN client ON client.id = client_id
	WHERE journal.person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)`

// list looks at one person's entries alone, by their index; what is not looked for is passed over there.
const list = entries + `
	AND (journal.at, journal.id) < ($2, $3) AND journal.at <= $2 AND journal.at >= $4
	AND ($5 = '' OR actor = $5) AND ($6::text[] IS NULL OR kind = ANY ($6)) AND ($8 = '' OR detail->>'field' = $8)
	ORDER BY journal.at DESC, journal.id DESC
	LIMIT $7`

const find = entries + ` AND journal.id = $2 AND journal.at >= $3`

// Queue asks for at most limit entries of a person that a filter looks for, from a place on, as one part of a batch.
func Queue(b *pgx.Batch, subject string, f Filter, from Place, limit int, to *Page) {
	b.Queue(list, f.arguments(subject, from, limit+1)...).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Entry])
		if err != nil {
			return fmt.Errorf("list the journal: %w", err)
		}
		*to = Page{Entries: found}
		if len(found) > limit {
			to.Entries = found[:limit]
			last := to.Entries[limit-1]
			to.Next = Place{last.At, last.ID}
		}
		return nil
	})
}

// Find asks for one entry of a person since a time, as one part of a batch. Where there is none it stays zero.
func Find(b *pgx.Batch, subject string, id uuid.UUID, since time.Time, to *Entry) {
	b.Queue(find, subject, id, since).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Entry])
		if err != nil {
			return fmt.Errorf("find an entry: %w", err)
		}
		if len(found) == 1 {
			*to = found[0]
		}
		return nil
	})
}

const count = `
	SELECT count(*) FROM journal
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1) AND at >= $2`

// QueueCount asks how many entries of a person there are since a time, as one part of a batch.
func QueueCount(b *pgx.Batch, subject string, since time.Time, to *int) {
	b.Queue(count, subject, since).QueryRow(func(row pgx.Row) error { return row.Scan(to) })
}

// atOnce is how many entries of a long list are read at once.
const atOnce = 1000

// Each hands on all entries of a person that a filter looks for, newest first. It holds no connection while they are handed on.
func Each(ctx context.Context, pool *pgxpool.Pool, subject string, f Filter, do func(Entry) error) error {
	for from := (Place{}); ; {
		var (
			b    pgx.Batch
			page Page
		)
		wall.Queue(&b, subject, "")
		Queue(&b, subject, f, from, atOnce, &page)
		if err := pool.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		for _, e := range page.Entries {
			if err := do(e); err != nil {
				return err
			}
		}
		if from = page.Next; from.IsZero() {
			return nil
		}
	}
}
