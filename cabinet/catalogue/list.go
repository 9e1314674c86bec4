package catalogue

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
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

// Check tells whether a body and a situation can be called what they are called here. There are texts at which PostgreSQL fails.
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
// synonyms, documents and forms. Next is where it goes on; zero where it does not.
type Page struct {
	Services []Service
	Next     Place
}

// inForce holds of services on a day.
const inForce = `valid_from <= $1 AND (valid_till >= $1) IS NOT FALSE`

// sought holds of services in force of a kind, of a body and in a situation, where these are named.
const sought = inForce + `
	AND ($2 = '' OR kind = $2) AND ($3 = '' OR service.body = $3) AND ($4 = '' OR situations @> ARRAY[$4])`

// list is in the order of codes, and of those only that begin as one does that is looked for: itself comes first.
const list = `
	SELECT ` + listed + `, body.name AS body_name, 0::bigint AS rank
	FROM service JOIN body ON body.code = service.body
	WHERE ` + sought + ` AND ($5::integer[] IS NULL OR numbers > $5)
	  AND service.code >= $7 AND service.code < $7 || ':' -- which comes after every digit
	ORDER BY numbers
	LIMIT $6`

// search is for where none of the services has a code that begins as one of those that may be. It finds each word of a query by its
// root; and where that finds nothing, as the beginning of a longer one, as one with a slip in it, or, where it is long, by the roots
// that begin alike and are most like it. A word that few services have says more than one that many have; what fits by less than a
// third of the best is left out.
const search = `
	WITH asked AS (
		SELECT place, text, string_to_array(slips, '|') AS slips, string_to_array(trigrams, '|') AS trigrams
		FROM unnest($7::integer[], $8::text[], $9::text[], $10::text[]) AS asked (place, text, slips, trigrams)
		WHERE NOT EXISTS (
			SELECT FROM unnest($12::text[]) AS begins JOIN service ON code >= begins AND code < begins || ':' WHERE ` + sought + `
		)
	), exact AS (
		SELECT place, text::tsquery AS query, 1.0 AS likeness FROM asked
		WHERE EXISTS (SELECT FROM service WHERE words @@ text::tsquery AND ` + inForce + `)
	), other AS (
		SELECT place, text, slips, trigrams FROM asked WHERE place NOT IN (SELECT place FROM exact)
	), meant AS MATERIALIZED ( -- once, and not for each service
		SELECT place, query, likeness FROM exact
		UNION ALL
		SELECT place, (text || ':*')::tsquery, 0.8 FROM other WHERE length(text) > 2
		UNION ALL
		SELECT place, meant.text::tsquery, 0.7 FROM other JOIN service_mask AS meant ON mask = ANY (slips)
		UNION ALL
		SELECT place, near.text::tsquery, likeness
		FROM other CROSS JOIN LATERAL (
			SELECT word.text, 2.0 * shared / (cardinality(word.trigrams) + cardinality(other.trigrams)) AS likeness
			FROM service_word AS word
			CROSS JOIN LATERAL (SELECT count(*) AS shared FROM unnest(word.trigrams) AS t WHERE t = ANY (other.trigrams)) AS both_have
			WHERE word.trigrams && other.trigrams AND left(word.text, 2) = left(other.text, 2)
			ORDER BY likeness DESC
			LIMIT 5
		) AS near
		WHERE likeness >= 0.6
	), found AS (
		SELECT place, code, max(likeness * ts_rank('{0.15, 0.2, 0.6, 1}', words, query)) AS fits
		FROM meant JOIN service ON words @@ query
		WHERE ` + sought + `
		GROUP BY place, code
	), weighed AS (
		SELECT code, fits / ln(1 + count(*) OVER (PARTITION BY place)) AS fits FROM found
	), ranked AS (
		SELECT code, (1000000 * sum(fits))::bigint AS rank FROM weighed GROUP BY code
	)
	SELECT ` + listed + `, body.name AS body_name, rank
	FROM ranked JOIN service ON service.code = ranked.code JOIN body ON body.code = service.body
	WHERE 3 * rank >= (SELECT max(rank) FROM ranked)
	  AND ($5::integer[] IS NULL OR rank < $11 OR rank = $11 AND numbers > $5)
	ORDER BY rank DESC, numbers
	LIMIT $6`

// Queue asks for at most limit services from a place on, as one part of a batch.
func Queue(b *pgx.Batch, f Filter, from Place, limit int, to *Page) {
	arguments := []any{f.On, f.Kind, f.Body, f.Situation, nil, limit + 1}
	if !from.IsZero() {
		arguments[4] = from.code.numbers()
	}
	*to = Page{}
	codes := f.Query.codes
	if f.Query.IsZero() {
		codes = []string{""} // as all begin
	}
	for _, code := range codes {
		queue(b, limit, to, list, append(slices.Clip(arguments), code))
	}
	if f.Query.typed {
		places, roots, slips, trigrams := f.Query.arrays()
		b.Queue(`SELECT set_config('plan_cache_mode', 'force_generic_plan', true)`) // to plan a search takes longer than to run it
		queue(b, limit, to, search, append(arguments, places, roots, slips, trigrams, from.rank, codes))
	}
}

// queue asks by one statement; what one before it has found stays.
func queue(b *pgx.Batch, limit int, to *Page, statement string, arguments []any) {
	b.Queue(statement, arguments...).Query(func(rows pgx.Rows) error {
		type ranked struct {
			Service
			Rank int64
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[ranked])
		if err != nil {
			return fmt.Errorf("list services: %w", err)
		}
		if len(to.Services) > 0 {
			return nil
		}
		for i, one := range found {
			if i == limit {
				last := found[limit-1]
				to.Next = Place{last.Rank, last.Code}
				break
			}
			to.Services = append(to.Services, one.Service)
		}
		return nil
	})
}

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
