package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// An Index lists services. It keeps those in force in memory: they are few, many look for them, and they are others only when an edition
// comes or another day.
type Index struct {
	Pool *pgxpool.Pool

	mu   sync.Mutex // held while services are read, which one does for all
	held *contents
}

// contents are the services in force on a day, as an edition has them, in the order of their codes.
type contents struct {
	edition    int
	on         time.Time
	services   []Service
	fits       map[string][]fit // by root
	vocabulary vocabulary
}

// QueueEdition asks for the number of the edition in force; 0 where there is none.
func QueueEdition(b *pgx.Batch, to *int) {
	b.Queue(`SELECT coalesce(max(number), 0) FROM catalogue_edition`).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(to); err != nil {
			return fmt.Errorf("find the edition of the catalogue: %w", err)
		}
		return nil
	})
}

// Find lists at most limit services from a place on. edition is the one in force: where another was read last, or it was on another day,
// it reads the services anew.
func (x *Index) Find(ctx context.Context, edition int, f Filter, from Place, limit int) (Page, error) {
	held, err := x.read(ctx, edition, f.On)
	if err != nil {
		return Page{}, fmt.Errorf("read the services: %w", err)
	}
	return held.page(f, from, limit), nil
}

func (x *Index) read(ctx context.Context, edition int, on time.Time) (*contents, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.held != nil && x.held.edition == edition && x.held.on.Equal(on) {
		return x.held, nil
	}
	const find = `
		SELECT ` + listed + `, synonyms, body.name AS body_name, (SELECT max(number) FROM catalogue_edition) AS of
		FROM service JOIN body ON body.code = service.body
		WHERE ` + inForce + `
		ORDER BY numbers`
	rows, _ := x.Pool.Query(ctx, find, on)
	type one struct {
		Service
		Of int
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[one])
	if err != nil {
		return nil, err
	}
	held := &contents{on: on, edition: edition}
	for _, s := range found {
		held.edition = s.Of
		held.services = append(held.services, s.Service)
	}
	held.index()
	x.held = held
	return held, nil
}

// fit is how well a word fits a service that has it.
type fit struct {
	service int
	fits    float64
}

// index notes by which words services are found: what they are called says most, what people call them less, what is told of them least.
func (c *contents) index() {
	c.fits = map[string][]fit{}
	var (
		words []known
		roots = map[string]string{} // of folded words; "" of one that tells nothing
	)
	rootOf := func(word string) string {
		folded := fold(word)
		if _, read := roots[folded]; !read && tells(folded) {
			words = append(words, known{word, folded, root(folded)})
			roots[folded] = root(folded)
		} else if !read {
			roots[folded] = ""
		}
		return roots[folded]
	}
	for i, s := range c.services {
		for _, part := range []struct {
			text string
			fits float64
		}{{s.Name.all(), 1}, {s.Synonyms, 0.6}, {s.About.all(), 0.2}} {
			for _, word := range spell(part.text) {
				root := rootOf(word)
				all := c.fits[root]
				if root != "" && (len(all) == 0 || all[len(all)-1].service != i) {
					c.fits[root] = append(all, fit{i, part.fits})
				}
			}
		}
	}
	for _, family := range families {
		for _, word := range strings.Fields(family) {
			if c.fits[root(fold(word))] != nil {
				rootOf(word)
			}
		}
	}
	c.vocabulary = vocabularyOf(words)
}

// all is the text in the three languages.
func (w Words) all() string { return w.RU + " " + w.BE + " " + w.EN }

// takes tells whether a service is of the kind and the body and in the situation that are asked for.
func (f Filter) takes(s Service) bool {
	return (f.Kind == "" || f.Kind == s.Kind) && (f.Body == "" || f.Body == s.Body) && (f.Situation == "" || slices.Contains(s.Situations, f.Situation))
}

// page lists what is found.
func (c *contents) page(f Filter, from Place, limit int) (p Page) {
	all, guesses := c.find(f)
	if p.ShownFor = guesses; !from.IsZero() {
		all = slices.DeleteFunc(all, func(one found) bool { return !one.after(from) })
	}
	for i, one := range all {
		if i == limit {
			p.Next = all[limit-1].Place
			break
		}
		p.Services = append(p.Services, c.services[one.service])
	}
	return p
}

// found is a service that is listed, by its place among those in force.
type found struct {
	Place

	service int
}

// find lists all that is asked for, and the words that were guessed.
func (c *contents) find(f Filter) (all []found, guesses []string) {
	for i, s := range c.services {
		if f.takes(s) {
			all = append(all, found{Place{code: s.Code}, i})
		}
	}
	if f.Query.IsZero() {
		return all, nil
	}
	for _, code := range f.Query.codes {
		begun := slices.DeleteFunc(slices.Clone(all), func(one found) bool { return !strings.HasPrefix(string(one.code), code) })
		if len(begun) > 0 {
			return begun, nil
		}
	}
	return c.rank(all, f.Query)
}

// rank leaves those that have words of a query, the best first. A word that few services have says more than one that many have; what fits
// by less than a third of the best is left out.
func (c *contents) rank(all []found, q Query) (_ []found, guesses []string) {
	ranks := make([]float64, len(c.services))
	for _, place := range q.words {
		roots, guessed := c.meant(place)
		guesses = append(guesses, guessed...)
		fits, having := make([]float64, len(c.services)), 0.0
		for _, root := range roots {
			for _, one := range c.fits[root] {
				fits[one.service] = max(fits[one.service], one.fits)
			}
		}
		for _, one := range all {
			if fits[one.service] > 0 {
				having++
			}
		}
		for i, fit := range fits {
			ranks[i] += fit / math.Log(2+having)
		}
	}
	for i, one := range all {
		all[i].rank = int64(1_000_000 * ranks[one.service])
	}
	var best int64
	for _, one := range all {
		best = max(best, one.rank)
	}
	all = slices.DeleteFunc(all, func(one found) bool { return one.rank == 0 || 3*one.rank < best })
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.rank, a.rank) })
	slices.Sort(guesses)
	return all, slices.Compact(guesses)
}

// meant are the roots of what somebody may have meant by a word that was typed, and the words that were guessed: itself where a service has it,
// or else what it begins, or else what it is like; each as it was typed, or else by another layout.
func (c *contents) meant(word []asked) (roots, guesses []string) {
	for _, find := range []func(asked) (roots, guesses []string){c.known, c.vocabulary.begun, c.vocabulary.near} {
		for _, relaid := range []bool{false, true} {
			for _, one := range word {
				if one.relaid != relaid {
					continue
				}
				found, guessed := find(one)
				if relaid && found != nil && guessed == nil {
					guessed = []string{one.word}
				}
				roots, guesses = append(roots, found...), append(guesses, guessed...)
			}
			if roots != nil {
				return roots, guesses
			}
		}
	}
	return nil, nil
}

// known is the root of a word that a service has.
func (c *contents) known(word asked) (roots, guesses []string) {
	if c.fits[word.root] != nil {
		return []string{word.root}, nil
	}
	return nil, nil
}

// after tells whether it comes after a place.
func (one found) after(p Place) bool {
	return one.rank < p.rank || one.rank == p.rank && slices.Compare(one.code.numbers(), p.code.numbers()) > 0
}
