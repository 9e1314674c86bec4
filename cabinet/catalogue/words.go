package catalogue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// all is the text in the three languages.
func (w Words) all() string { return w.RU + " " + w.BE + " " + w.EN }

// shortest is how many letters a root has at least that others are like: shorter ones are like too many. A long one is so much like
// another even where it has more than one slip in it.
const (
	shortest = 4
	long     = 7
)

// trigrams are what a root is made of, three letters at a time, and how it begins and ends; none where it is short.
func trigrams(root string) []string {
	all := []string{}
	if len([]rune(root)) < shortest {
		return all
	}
	letters := []rune("  " + root + " ")
	for i := range len(letters) - 2 {
		all = append(all, string(letters[i:i+3]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A vocabulary is the roots that services have, each with the words that have it.
type vocabulary map[string][]string

func vocabularyOf(services []Service) vocabulary {
	v := vocabulary{}
	for _, s := range services {
		for _, word := range words(s.Name.all() + " " + s.Synonyms + " " + s.About.all()) {
			v.add(word, root(word))
		}
	}
	for stem, head := range families {
		if v[head] != nil {
			v.add(stem, head)
		}
	}
	return v
}

func (v vocabulary) add(word, root string) {
	if !slices.Contains(v[root], word) {
		v[root] = append(v[root], word)
	}
}

// like gives, for each root, the others that are like it: those that it begins with, and those with which it shares half of its trigrams.
func (v vocabulary) like() map[string][]string {
	having := map[string][]string{}
	for _, root := range slices.Sorted(maps.Keys(v)) {
		for _, t := range trigrams(root) {
			having[t] = append(having[t], root)
		}
	}
	all := map[string][]string{}
	for root := range v {
		made, shared := trigrams(root), map[string]int{}
		for _, t := range made {
			for _, other := range having[t] {
				shared[other]++
			}
		}
		delete(shared, root)
		for other, n := range shared {
			if 4*n >= len(made)+len(trigrams(other)) {
				all[root] = append(all[root], other)
			}
		}
		letters := []rune(root)
		for n := least; n < len(letters); n++ {
			if begin := string(letters[:n]); !slices.Contains(all[root], begin) {
				if _, known := v[begin]; known {
					all[root] = append(all[root], begin)
				}
			}
		}
	}
	return all
}

// words are what a service is found by, in PostgreSQL's tongue: its name weighs A, what people call it B, what is told about it C,
// and what is like a word of these D.
func (s Service) words(like map[string][]string) string {
	var (
		all   strings.Builder
		known = map[string]bool{}
		place int
	)
	write := func(root, weight string) {
		place++
		fmt.Fprintf(&all, "%s:%d%s ", root, place, weight)
	}
	for _, part := range []struct{ text, weight string }{{s.Name.all(), "A"}, {s.Synonyms, "B"}, {s.About.all(), "C"}} {
		for _, root := range roots(part.text) {
			known[root] = true
			write(root, part.weight)
		}
	}
	for _, root := range slices.Sorted(maps.Keys(known)) {
		for _, other := range like[root] {
			if !known[other] {
				known[other] = true
				write(other, "D")
			}
		}
	}
	return all.String()
}

// queueWords has services found by their words, and by no others.
func queueWords(b *pgx.Batch, services []Service) {
	v := vocabularyOf(services)
	like := v.like()
	for _, s := range services {
		b.Queue(`UPDATE service SET (words, reading) = ($2::text::tsvector, $3) WHERE code = $1`, s.Code, s.words(like), reading)
	}
	b.Queue(`DELETE FROM service_word`)
	b.Queue(`DELETE FROM service_mask`)
	for _, root := range slices.Sorted(maps.Keys(v)) {
		if made := trigrams(root); len(made) > 0 {
			b.Queue(`INSERT INTO service_word (text, trigrams) VALUES ($1, $2)`, root, made)
		}
		b.Queue(`INSERT INTO service_mask (mask, text) SELECT unnest($2::text[]), $1`, root, masks(v[root]))
	}
}

// Reread makes the words anew of services that another program has read another way, so that searches compare like with like.
func Reread(ctx context.Context, pool *pgxpool.Pool, at time.Time) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var stale bool
		const find = `SELECT EXISTS (SELECT FROM service WHERE reading <> $1 AND (valid_till >= $2) IS NOT FALSE)`
		if err := tx.QueryRow(ctx, find, reading, Day(at)).Scan(&stale); err != nil || !stale {
			return err
		}
		if _, err := tx.Exec(ctx, `LOCK TABLE catalogue_edition IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		services, err := every(ctx, tx)
		if err != nil {
			return err
		}
		services = slices.DeleteFunc(services, func(s Service) bool { return s.ValidTill != nil && s.ValidTill.Before(Day(at)) })
		var b pgx.Batch
		queueWords(&b, services)
		return tx.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return fmt.Errorf("read the words of services anew: %w", err)
	}
	return nil
}
