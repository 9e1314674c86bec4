package signal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A Kind names what happened; after the cabinet's URL and /events/ it is the name of the event (RFC 8417 §2.2).
type Kind string

// Kinds.
const (
	ProfileChanged Kind = "profile-changed" // Detail.Fields
	AccessEnded    Kind = "access-ended"    // Detail.Why, where it is one of those that are told
)

// What is told of why access has ended. Of a block, or of what went on at the citizen's browsers, an e-service is told no more than that.
const (
	Withdrawn   = "withdrawn"   // the citizen took the agreement back
	Deactivated = "deactivated" // the cabinet was
)

// A Detail is what else is told of a Kind.
type Detail struct {
	Fields []string `json:"fields,omitempty"`
	Why    string   `json:"why,omitempty"`
}

// A Signal is what one e-service is told. Its ID is the same however often it is.
type Signal struct {
	ID      uuid.UUID
	Subject string // as the citizen's number was then
	At      time.Time
	Kind    Kind
	Detail  Detail
	Place   Place
}

// A Place is where a Signal stands among those of its client. The zero Place is before the first.
type Place int64

// ErrPlace says that a text names no place.
var ErrPlace = errors.New("not a place among signals")

// ParsePlace reads what MarshalText wrote.
func ParsePlace(s string) (Place, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, ErrPlace
	}
	return Place(n), nil
}

// gone tells whether what came after a place cannot be told any more, some of it being dropped, or because the place is none: signals have places up
// to the last.
func (p Place) gone(last, dropped Place) bool { return p > last || p > 0 && p < dropped }

// MarshalText writes a place as an e-service keeps it: it is no number to reckon with.
func (p Place) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(p), 10), nil }

// Tell tells whoever may read people's profiles which official values of theirs have changed, in the transaction that changes them.
func Tell(ctx context.Context, tx pgx.Tx, fields map[uuid.UUID][]string, at time.Time) error {
	const tell = `
		INSERT INTO signal (id, client_id, person_id, subject, at, kind, detail)
		SELECT DISTINCT ON (person_id, client_id) gen_random_uuid(), client_id, person_id, identification_number, $3, $4, detail
		FROM unnest($1::uuid[], $2::jsonb[]) AS changed (person_id, detail)
		JOIN reader USING (person_id)
		JOIN cabinet USING (person_id)
		WHERE identification_number IS NOT NULL AND reader.at > $5`

	if len(fields) == 0 {
		return nil
	}
	var (
		people  [][16]byte
		details []Detail
	)
	for person, names := range fields {
		people, details = append(people, person), append(details, Detail{Fields: slices.Sorted(slices.Values(names))})
	}
	if _, err := tx.Exec(ctx, tell, people, details, at, ProfileChanged, at.Add(-kept)); err != nil {
		return fmt.Errorf("tell of changes: %w", err)
	}
	return nil
}
