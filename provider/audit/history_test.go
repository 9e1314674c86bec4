package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// A person's own events come the latest first, page by page, and nobody else's; those that are too old or of no matter are left out, and those that have
// no place yet are not.
func TestHistory(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	at := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	anna, boris := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	err := Record(t.Context(), pool,
		Event{Kind: SignedIn, At: at.AddDate(0, 0, -91), Person: anna, Agent: "too old"},
		Event{Kind: SignedIn, At: at.AddDate(0, 0, -90), Person: anna, Agent: "1"},
		Event{Kind: GrantGiven, At: at, Person: anna, Agent: "of no matter"},
		Event{Kind: SignInRefused, At: at, Person: anna, Agent: "2", Detail: map[string]string{"why": "password"}},
		Event{Kind: SignedIn, At: at, Person: boris, Agent: "another's"},
		Event{Kind: SignedIn, At: at, Person: anna, Agent: "3"},
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Sealer{Pool: pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = Record(t.Context(), pool,
		Event{Kind: SignedIn, At: at, Person: anna, Agent: "4"},
		Event{Kind: SignedIn, At: at, Person: anna, Agent: "5"},
		Event{Kind: SignedIn, At: at, Person: boris, Agent: "another's"},
		Event{Kind: SignedIn, At: at, Person: anna, Agent: "6"},
	)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for before := Cursor(0); ; {
		page, err := History(t.Context(), pool, anna, []Kind{SignedIn, SignInRefused}, nil, at.AddDate(0, 0, -90), before, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, line := range page {
			got, before = append(got, line.Agent+line.Detail["why"]), line.Cursor
		}
	}
	if want := []string{"6", "5", "4", "3", "2password", "1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What anybody can bring about stands there once a day, with how often it happened, so that nobody buries what was a person's own.
func TestStrangersBuryNoHistory(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	midnight := time.Date(2026, 5, 11, 21, 0, 0, 0, time.UTC) // in Minsk
	anna := uuid.Must(uuid.NewV7())
	events := []Event{{Kind: SignedIn, At: midnight.Add(-time.Hour), Person: anna}}
	for n := range 100 {
		at := midnight.Add(time.Duration(n-40) * time.Second)
		events = append(events, Event{Kind: SignInRefused, At: at, Person: anna, Detail: map[string]string{"why": "password"}})
	}
	events = append(events,
		Event{Kind: SignInRefused, At: midnight.Add(time.Hour), Person: anna, Detail: map[string]string{"why": "code"}},
		Event{Kind: SignedIn, At: midnight.Add(2 * time.Hour), Person: anna},
		Event{Kind: SignedIn, At: midnight.Add(2 * time.Hour), Person: anna},
	)
	if err := Record(t.Context(), pool, events[:60]...); err != nil {
		t.Fatal(err)
	}
	if err := (&Sealer{Pool: pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Record(t.Context(), pool, events[60:]...); err != nil { // which have no places yet
		t.Fatal(err)
	}
	var got []int
	for before := Cursor(0); len(got) < 10; {
		page, err := History(t.Context(), pool, anna, []Kind{SignedIn, SignInRefused}, []Kind{SignInRefused}, midnight.AddDate(0, 0, -90), before, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, line := range page {
			got, before = append(got, line.Times), line.Cursor
		}
	}
	if want := []int{1, 1, 1, 60, 40, 1}; !slices.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}

// Nobody hides behind the slip of a person's own hand: what came from another country is told, and what did not come from a known browser stands apart.
func TestStrangersHideBehindNobody(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	noon := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	anna := uuid.Must(uuid.NewV7())
	refused := func(country, browser string) Event {
		e := Event{Kind: SignInRefused, At: noon, Person: anna, Detail: map[string]string{"why": "password", "where": country}}
		if browser != "" {
			e.Detail["browser"] = browser
		}
		return e
	}
	err := Record(t.Context(), pool,
		refused("BY", "known"), refused("PL", ""), refused("BY", "known"), refused("BR", ""), refused("PL", ""), refused("BY", "known"), refused("BY", ""),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Sealer{Pool: pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := History(t.Context(), pool, anna, []Kind{SignInRefused}, []Kind{SignInRefused}, noon, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range found {
		got = append(got, fmt.Sprint(h.Detail["browser"], h.Times, h.Countries))
	}
	if want := []string{"4 [BR BY PL]", "known3 [BY]"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A person's history is found by index, whatever the years of the country hold.
func TestAHistoryIsFoundByIndex(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
			return err
		}
		rows, _ := tx.Query(t.Context(), `EXPLAIN (COSTS OFF) `+history, uuid.Nil, uuid.New(), []Kind{SignedIn}, time.Now(), Cursor(7), 20, []Kind{SignInRefused})
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		got := strings.Join(lines, "\n")
		if err == nil && (!strings.Contains(got, "person_id_place_idx") || strings.Count(got, "Seq Scan") != strings.Count(got, "Seq Scan on event_head")) {
			t.Errorf("not by its index:\n%s", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
