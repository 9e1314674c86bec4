package catalogue

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Filter says which services are asked for; "" is any.
type Filter struct {
	Query     Query
	Kind      Kind
	Body      string
	Situation string
	On        time.Time // the day on which they are in force
}

// ErrFilter says that a filter names what no edition can have.
var ErrFilter = errors.New("not the code of a body or of a situation")

var nameForm = regexp.MustCompile(`^([a-z][a-z0-9_]{0,39})?$`) // as in Schema

// Check tells whether a body and a situation can be called what they are called here.
func (f Filter) Check() error {
	if !nameForm.MatchString(f.Body) || !nameForm.MatchString(f.Situation) {
		return ErrFilter
	}
	return nil
}

// A Place in a list, after a service. The zero Place is before the first one.
type Place struct {
	rank int64 // how well the service fits the query; 0 where there is none
	code Code
}

// ErrPlace says that a text names no place.
var ErrPlace = errors.New("not a place in a list of services")

// ParsePlace reads what String wrote.
func ParsePlace(s string) (Place, error) {
	rank, rest, _ := strings.Cut(s, "-")
	n, err := strconv.ParseInt(rank, 10, 64)
	if err != nil || n < 0 {
		return Place{}, ErrPlace
	}
	c, err := ParseCode(rest)
	if err != nil {
		return Place{}, ErrPlace
	}
	if p := (Place{n, c}); p.String() == s {
		return p, nil
	}
	return Place{}, ErrPlace
}

// String is the place in one word, for a query.
func (p Place) String() string { return strconv.FormatInt(p.rank, 10) + "-" + string(p.code) }

// IsZero tells whether it is the place before the first service.
func (p Place) IsZero() bool { return p == Place{} }

// A Page is a part of a list: where somebody looks for something, what fits best comes first, else by code. The services are without
// documents and forms. Next is where it goes on; zero where it does not.
type Page struct {
	Services []Service
	Next     Place
	ShownFor []string // words of services that were looked for in place of what was typed and no service has
}

// inForce holds of services on a day.
const inForce = `valid_from <= $1 AND (valid_till >= $1) IS NOT FALSE`

// QueueService asks for the service of a code, in force or not; it stays without a code where there is none.
func QueueService(b *pgx.Batch, code Code, to *Service) {
	const find = `SELECT ` + columns + `, body.name AS body_name FROM service JOIN body ON body.code = service.body WHERE service.code = $1`
	b.Queue(find, code).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectOneRow(rows, pgx.RowToStructByName[Service])
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("find a service: %w", err)
		}
		*to = found
		return nil
	})
}

// QueueBodies asks for at most limit bodies that have services in force on a day, and whose codes come after one.
func QueueBodies(b *pgx.Batch, on time.Time, after string, limit int, to *[]Body) {
	const find = `
		SELECT code, name FROM body
		WHERE code > $2 AND EXISTS (SELECT FROM service WHERE service.body = body.code AND ` + inForce + `)
		ORDER BY code
		LIMIT $3`
	b.Queue(find, on, after, limit).Query(func(rows pgx.Rows) (err error) {
		if *to, err = pgx.CollectRows(rows, pgx.RowToStructByName[Body]); err != nil {
			return fmt.Errorf("list bodies: %w", err)
		}
		return nil
	})
}

// QueueSituations asks for the situations of life.
func QueueSituations(b *pgx.Batch, to *[]Situation) {
	b.Queue(`SELECT code, name FROM situation ORDER BY place`).Query(func(rows pgx.Rows) (err error) {
		if *to, err = pgx.CollectRows(rows, pgx.RowToStructByName[Situation]); err != nil {
			return fmt.Errorf("list situations: %w", err)
		}
		return nil
	})
}

// QueueNotice asks for what readers are told of the whole catalogue; it stays nil where that is nothing.
func QueueNotice(b *pgx.Batch, to **Words) {
	b.Queue(`SELECT notice FROM catalogue_edition ORDER BY number DESC LIMIT 1`).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(to); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("find the notice of the catalogue: %w", err)
		}
		return nil
	})
}
