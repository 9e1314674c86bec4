package profile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/provider/seal"
)

// Sources are the other systems that are asked about people, or were, and what they have told. Which there are is for the operator to say, by
// Put and Drop; each node reads it again and again.
type Sources struct {
	Box *seal.Box

	all atomic.Pointer[[]Source]
}

// NewSources are these, until they are read.
func NewSources(box *seal.Box, all ...Source) *Sources {
	s := &Sources{Box: box}
	s.all.Store(&all)
	return s
}

// Read reads which there are.
func (s *Sources) Read(ctx context.Context, pool *pgxpool.Pool) error {
	const find = `SELECT name, title, basis, coalesce(names, '{}') AS "values", in_force FROM source ORDER BY in_force DESC, name`
	rows, _ := pool.Query(ctx, find)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[Source])
	if err != nil {
		return fmt.Errorf("read which sources there are: %w", err)
	}
	s.all.Store(&all)
	return nil
}

// All gives them, those in force first.
func (s *Sources) All() []Source { return *s.all.Load() }

// Find gives a source by its name; of one that there never was, it has but that.
func (s *Sources) Find(name string) Source {
	all := s.All()
	if i := slices.IndexFunc(all, func(one Source) bool { return one.Name == name }); i >= 0 {
		return all[i]
	}
	return Source{Name: name}
}

// Put puts sources in force, or changes what is told of them and what they are asked for, each with the record of who did it. It gives the
// names of those of which that was not so already. Others stay as they are.
func Put(ctx context.Context, pool *pgxpool.Pool, sources []Source, by string, at time.Time) (changed []string, err error) {
	const put = `
		WITH put AS (
			INSERT INTO source (name, title, basis, names, in_force) VALUES ($1, $2, $3, $4, true)
			ON CONFLICT (name) DO UPDATE SET title = excluded.title, basis = excluded.basis, names = excluded.names, in_force = true
			WHERE (source.title, source.basis, source.names, source.in_force) IS DISTINCT FROM (excluded.title, excluded.basis, excluded.names, true)
			RETURNING name
		)
		INSERT INTO source_act (source, act, by, at) SELECT name, 'put', $5, $6 FROM put`

	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, s := range sources {
			tag, err := tx.Exec(ctx, put, s.Name, s.Title, s.Basis, s.Values, by, at)
			if err != nil {
				return err
			}
			if tag.RowsAffected() > 0 {
				changed = append(changed, s.Name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("put sources in force: %w", err)
	}
	return changed, nil
}

// ErrNotInForce says that there is no such source to take out.
var ErrNotInForce = errors.New("no source of this name is in force")

// Drop takes a source out, with the record of who did it: about nobody is it asked any more, not even about those for whom it was due.
func Drop(ctx context.Context, pool *pgxpool.Pool, name, by string, at time.Time) error {
	const drop = `
		WITH dropped AS (
			UPDATE source SET in_force = false WHERE name = $1 AND in_force RETURNING name
		)
		INSERT INTO source_act (source, act, by, at) SELECT name, 'dropped', $2, $3 FROM dropped`
	const leave = `UPDATE refresh SET due_at = NULL WHERE source = $1 AND due_at IS NOT NULL`

	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, drop, name, by, at)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrNotInForce
		}
		_, err = tx.Exec(ctx, leave, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("take out a source: %w", err)
	}
	return nil
}

// A Standing is how a source stands, and by whose act, since when.
type Standing struct {
	Name    string    `json:"name"`
	InForce bool      `json:"in_force"`
	Names   []string  `json:"values"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// Standings lists how all sources stand that there are or were, by name.
func Standings(ctx context.Context, pool *pgxpool.Pool) ([]Standing, error) {
	const find = `
		SELECT name, in_force, coalesce(names, '{}') AS names, act.by, act.at
		FROM source CROSS JOIN LATERAL (SELECT by, at FROM source_act WHERE source = name ORDER BY id DESC LIMIT 1) AS act
		ORDER BY name`
	rows, _ := pool.Query(ctx, find)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Standing])
	if err != nil {
		return nil, fmt.Errorf("list how sources stand: %w", err)
	}
	return all, nil
}

// A Watch reads which sources there are, and tells in metrics and in the log which of those in force a node cannot ask, and in the log which it could
// and no act of the operator's has ever put in force.
type Watch struct {
	*Sources

	Pool  *pgxpool.Pool
	Named []Source // those of which the node has addresses
	Log   *slog.Logger

	told    []string // of those that it cannot ask
	toldNew []string // of those that were never put in force
}

// Read reads which there are; of those that the node cannot ask, and of those that nobody has put in force, it writes once.
func (w *Watch) Read(ctx context.Context) error {
	if err := w.Sources.Read(ctx, w.Pool); err != nil {
		return err
	}
	if missing := w.missing(); news(missing, &w.told) {
		w.Log.Warn("sources in force that this node has no address of, and does not ask", "sources", missing)
	}
	if unknown := w.unknown(); news(unknown, &w.toldNew) {
		w.Log.Warn("sources that this node has an address of, and that were never put in force: nobody is asked there", "sources", unknown)
	}
	return nil
}

// news tells whether there are other names than were told, which are told from now on.
func news(names []string, told *[]string) bool {
	is := len(names) > 0 && !slices.Equal(names, *told)
	*told = names
	return is
}

// unknown are those of which the node has an address that were never put in force. One that was taken out was known before.
func (w *Watch) unknown() (names []string) {
	for _, named := range w.Named {
		if !slices.ContainsFunc(w.All(), func(s Source) bool { return named.Name == s.Name }) {
			names = append(names, named.Name)
		}
	}
	return names
}

// missing are those in force of which the node has no address.
func (w *Watch) missing() (names []string) {
	for _, s := range w.All() {
		if s.InForce && !slices.ContainsFunc(w.Named, func(named Source) bool { return named.Name == s.Name }) {
			names = append(names, s.Name)
		}
	}
	return names
}

var unasked = prometheus.NewDesc("cabinet_sources_without_address", "Sources in force of which this node has no address, and which it does not ask.", nil, nil)

// Describe names the metric.
func (w *Watch) Describe(to chan<- *prometheus.Desc) { to <- unasked }

// Collect counts them.
func (w *Watch) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.MustNewConstMetric(unasked, prometheus.GaugeValue, float64(len(w.missing())))
}
